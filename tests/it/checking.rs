//! `db-check` says the truth: every object, attribute and seeded row that is not as the files make it is found and named.

use migrations::Project;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    snapshot::snapshot,
};

/// Sets a database up, changes it by hand, and checks it.
#[track_caller]
fn check(by_hand: &str, code: i32, printed: &[&str]) {
    tests::empty().run(async |db| {
        let checkout = set_up(db).await;
        let sql = by_hand.replace("{database}", db.name());
        db.pool().execute(AssertSqlSafe(sql)).await?;
        let before = snapshot(db).await;
        checkout.xtask(db, &["db-check"]).expect(code, printed);
        assert_eq!(before, snapshot(db).await, "a check wrote something");
        Ok(())
    });
}

async fn set_up(db: &TestDatabase) -> Checkout {
    let checkout = Checkout::new();
    checkout.xtask(db, &["migrate"]).expect(0, &[]);
    checkout.xtask(db, &["seed"]).expect(0, &[]);
    checkout
}

#[test]
fn a_database_as_the_files_make_it_passes() {
    check(
        "select 1",
        0,
        &["db-check: 5 migrations applied, 9 tables, 19 seeded rows, exactly as the files say\n"],
    );
}

#[test]
fn a_column_an_index_and_rows_that_are_gone_are_named() {
    check(
        "alter table loans drop column fee; drop index staff_person_id_idx; delete from roles_permissions;
         alter table people add column nickname text; create table stray (id int)",
        3,
        &[
            "missing     column public.loans.fee: data type double precision",
            "missing     index public.staff_person_id_idx",
            "unexpected  column public.people.nickname: data type text",
            "unexpected  table stray",
            "10 seeded rows of roles_permissions",
            "put back what is gone: cargo xtask seed",
        ],
    );
}

#[test]
fn the_plan_of_a_fix_makes_the_schema_what_it_should_be() {
    tests::empty().run(async |db| {
        let checkout = set_up(db).await;
        checkout.xtask(db, &["db-check", "--fix-plan"]).expect(0, &[]);
        db.pool()
            .execute(
                "alter table people add column nickname text; drop index staff_person_id_idx; alter table loans drop constraint loans_fee_check",
            )
            .await?;
        let before = snapshot(db).await;
        let plan = checkout.xtask(db, &["db-check", "--fix-plan"]);
        let lost = "-- data loss: column public.people.nickname";
        plan.expect(3, &[lost, "unexpected column public.people.nickname"]);
        assert_eq!(before, snapshot(db).await, "a plan wrote something");
        let file = checkout.root().join("fix.sql");
        std::fs::write(&file, &plan.stdout).unwrap();
        let file = format!("--file={}", file.display());
        checkout.xtask(db, &["db-shell", "--set=ON_ERROR_STOP=1", &file]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(0, &["exactly as the files say"]);
        Ok(())
    });
}

#[test]
fn an_attribute_that_is_another_one_is_shown_with_both_values() {
    check(
        "alter table loans alter column fee type real; alter table people disable trigger user;
         grant select on events to pg_monitor; comment on table loans is 'ours'",
        3,
        &[
            "differs     column public.loans.fee: data type\n    expected  double precision\n    found     real\n",
            "state\n    expected  nothing\n    found     disabled\n",
            "differs     table public.events: rights\n    expected  nothing\n    found     SELECT to pg_monitor\n",
            "differs     table public.loans: comment",
        ],
    );
}

#[test]
fn the_order_of_columns_alone_is_a_note() {
    check(
        "alter table loans drop column fee;
         alter table loans add column fee double precision constraint loans_fee_check check (fee >= 0)",
        0,
        &["as the files say, but for the notes", "note        table public.loans: column order"],
    );
}

#[test]
fn an_edit_that_seed_would_repair_is_a_difference() {
    check(
        "update roles set description = 'edited' where name = 'member'",
        3,
        &[
            "differs     row roles (member): description   put it back: cargo xtask seed\n    expected  Borrows items.",
            "found     edited",
        ],
    );
}

#[test]
fn an_edit_that_seed_leaves_alone_is_a_note() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let seed = "insert into roles (name, display_name) values ('once', 'Once') on conflict do nothing;";
        checkout.write("loans/seed.sql", seed);
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.xtask(db, &["seed"]).expect(0, &[]);
        db.pool().execute("update roles set display_name = 'Ours' where name = 'once'").await?;
        checkout.xtask(db, &["db-check"]).expect(
            0,
            &[
                "but for the notes",
                "note        row roles (once): display_name\n    expected  Once\n    found     Ours",
            ],
        );
        // That it is gone is a difference all the same.
        db.pool().execute("delete from roles where name = 'once'").await?;
        checkout.xtask(db, &["db-check"]).expect(3, &["missing     row roles (once)"]);
        Ok(())
    });
}

#[test]
fn seeded_rows_without_a_key_are_listed_as_not_checked() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_log", "create table log (line text);", "drop table log;");
        checkout.replace("apps.toml", "tables = [\"loans\"]", "tables = [\"loans\", \"log\"]");
        checkout.write("loans/seed.sql", "insert into log select 'a' where not exists (select from log);");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.xtask(db, &["seed"]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(
            0,
            &[
                "as far as it was checked",
                "not checked 1 seeded row of log: no unique key of it is the same in two seedings",
            ],
        );
        Ok(())
    });
}

#[test]
fn the_day_on_which_a_seed_ran_is_not_compared() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let up = "create table log (line text primary key, day date not null);";
        checkout.migration("loans/0002_log", up, "drop table log;");
        checkout.replace("apps.toml", "tables = [\"loans\"]", "tables = [\"loans\", \"log\"]");
        checkout.write(
            "loans/seed.sql",
            "insert into log values ('a', current_date)
             on conflict (line) do update set day = excluded.day where log.day <> excluded.day;",
        );
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.xtask(db, &["seed"]).expect(0, &[]);
        db.pool().execute("update log set day = day - 1").await?;
        checkout.xtask(db, &["db-check"]).expect(0, &["exactly as the files say"]);
        db.pool().execute("delete from log").await?;
        checkout.xtask(db, &["db-check"]).expect(3, &["missing     row log (a)"]);
        Ok(())
    });
}

#[test]
fn rows_that_people_added_are_nothing() {
    check(
        "insert into roles (name, display_name) values ('guest', 'Guest')",
        0,
        &["exactly as the files say"],
    );
}

#[test]
fn what_only_this_database_has_set_is_a_note() {
    check(
        "alter database {database} set work_mem = '5MB'; grant create on database {database} to pg_monitor",
        0,
        &[
            "but for the notes",
            "note        database settings",
            "found     work_mem=5MB",
            "note        database rights",
        ],
    );
}

#[test]
fn a_setting_that_a_migration_made_and_that_is_gone_is_a_difference() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let set = "do $$ begin execute format('alter database %I set work_mem = ''5MB''', current_database()); end $$;";
        let reset = "do $$ begin execute format('alter database %I reset work_mem', current_database()); end $$;";
        checkout.migration("loans/0002_set", set, reset);
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.xtask(db, &["seed"]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(0, &["exactly as the files say"]);
        db.pool().execute(AssertSqlSafe(format!("alter database {} reset all", db.name()))).await?;
        checkout.xtask(db, &["db-check"]).expect(3, &["differs     database settings\n    expected  work_mem=5MB"]);
        Ok(())
    });
}

#[test]
fn a_ledger_that_lies_is_found_from_either_side() {
    tests::empty().run(async |db| {
        let checkout = set_up(db).await;
        // It says that a migration has run, and what that makes is not there.
        db.pool().execute("drop table loans").await?;
        checkout
            .xtask(db, &["db-check"])
            .expect(3, &["missing     table loans", "all its migrations are applied"]);
        Ok(())
    });
    tests::empty().run(async |db| {
        let checkout = set_up(db).await;
        // It says that a migration has not run, and what that makes is there.
        db.pool().execute("delete from migrations.loans").await?;
        checkout.xtask(db, &["db-check"]).expect(
            3,
            &[
                "pending     loans/0001_initial",
                "unexpected  table public.loans",
                "not checked the seeded rows: migrations are pending",
            ],
        );
        Ok(())
    });
}

#[test]
fn an_edited_migration_says_what_was_not_checked() {
    tests::empty().run(async |db| {
        let checkout = set_up(db).await;
        checkout.replace("loans/0001_initial.up.sql", "create table loans", "create  table loans");
        checkout.xtask(db, &["db-check"]).expect(
            3,
            &["edited", "not checked the schema and the seeded rows: the ledger contradicts the files"],
        );
        Ok(())
    });
}

#[test]
fn without_another_server_the_report_says_what_was_not_checked() {
    tests::empty().run(async |db| {
        let checkout = set_up(db).await;
        // A migration that no server here can run is as good as no server.
        checkout.migration("loans/0002_unbuildable", "create extension nowhere;", "drop extension nowhere;");
        let row = "insert into migrations.loans (version, description, success, checksum, execution_time)
                   select 2, 'unbuildable', true, $1, 0";
        let project = Project::load(&checkout.path(""))?;
        let migration = project.migrations_of("loans").last().unwrap();
        sqlx::query(row).bind(migration.checksum()).execute(db.pool()).await?;
        let printed = checkout.xtask(db, &["db-check"]);
        printed.expect(
            0,
            &[
                "as the files say, as far as it was checked",
                "not checked the schema and the seeded rows: ",
                "nowhere",
            ],
        );
        assert!(!printed.stdout.contains("exactly"), "{}", printed.stdout);
        checkout.xtask(db, &["db-check", "--strict"]).expect(3, &["as far as it was checked"]);
        Ok(())
    });
}

#[test]
fn what_should_be_is_built_on_the_checked_server_only_if_asked() {
    tests::empty().run(async |db| {
        let checkout = set_up(db).await;
        checkout.migration("loans/0002_here", "create schema here;", "drop schema here;");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let cache = checkout.root().join("cache");
        let command = |args: &[&str]| {
            checkout.command(&db.url(), args).env("XDG_CACHE_HOME", &cache).env("XTASK_PG_BIN", "/nowhere")
        };
        outcome(&command(&["db-check"])).expect(0, &["not checked", "/nowhere"]);
        outcome(&command(&["db-check", "--here"])).expect(0, &["exactly as the files say"]);
        // Now it is in the cache.
        outcome(&command(&["db-check"])).expect(0, &["exactly as the files say"]);
        Ok(())
    });
}

#[test]
fn programs_read_each_difference_in_fields() {
    tests::empty().run(async |db| {
        let checkout = set_up(db).await;
        db.pool()
            .execute("alter table loans alter column fee type real; delete from permissions where name = 'read_event'")
            .await?;
        let printed = checkout.xtask(db, &["db-check", "--format", "json"]);
        printed.expect(3, &[]);
        let report: Value = serde_json::from_str(&printed.stdout)?;
        let differences = report["differences"].as_array().unwrap();
        let fields = |of: &Value| -> Vec<String> {
            let names = ["difference", "kind", "schema", "name", "part", "attribute", "expected", "found"];
            names.iter().map(|name| of[name].as_str().unwrap_or("null").to_owned()).collect()
        };
        assert_eq!(
            fields(&differences[0]),
            ["differs", "column", "public", "loans", "fee", "data type", "double precision", "real"]
        );
        let row = differences.iter().find(|it| it["kind"] == "row" && it["name"] == "permissions").unwrap();
        assert_eq!(fields(row), ["missing", "row", "public", "permissions", "read_event", "null", "null", "null"]);
        Ok(())
    });
}
