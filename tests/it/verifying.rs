//! `verify` proves what it says: these tests make each proof fail, and expect that no run leaves anything behind.

mod downs;

use std::time::{Duration, Instant};

use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Executor};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    interruption::send,
    native_server::PATIENCE,
};

/// Runs a test with the URL of a role of its own, so that the test recognises its leftovers on the server.
#[track_caller]
pub(crate) fn as_own_role(test: impl AsyncFnOnce(&TestDatabase, &str)) {
    tests::empty().run(async |db| {
        let role = db.name();
        db.pool().execute(AssertSqlSafe(format!("create role {role} superuser login password 'x'"))).await?;
        let url = db.url();
        let place = url.split_once('@').unwrap().1;
        test(db, &format!("postgres://{role}:x@{place}")).await;
        let left = "select array_agg(datname::text) from pg_database where datdba = $1::regrole";
        let left: Option<Vec<String>> = sqlx::query_scalar(left).bind(role).fetch_one(db.pool()).await?;
        assert_eq!(left, None);
        db.pool().execute(AssertSqlSafe(format!("drop role {role}"))).await?;
        Ok(())
    });
}

#[track_caller]
fn check(damage: impl Fn(&Checkout), code: i32, said: &[&str]) -> String {
    let mut stdout = String::new();
    as_own_role(async |_, url| {
        let checkout = Checkout::new();
        damage(&checkout);
        stdout = outcome(&checkout.command(url, &["verify"])).expect(code, said).stdout.clone();
    });
    stdout
}

#[test]
fn a_project_that_keeps_the_rules_passes() {
    check(
        |_| {},
        0,
        &[
            "5 migrations, in one order",
            "from nothing to fingerprint",
            "9 tables, exactly as apps.toml says",
            "seeds write 19 rows, and nothing twice",
            "each down gives back what was before its up",
            "each down works with the seeds in the tables",
            "up again gives the same fingerprint",
        ],
    );
}

#[test]
fn a_missing_and_an_unexpected_table_fail_the_contract() {
    check(
        |it| it.replace("apps.toml", "tables = [\"loans\"]", "tables = [\"loan\"]"),
        3,
        &[
            "9 tables, exactly as apps.toml says",
            "FAILED",
            "missing     table loan, which app `loans` owns",
            "unexpected  table loans",
        ],
    );
}

#[test]
fn a_migration_that_touches_another_apps_tables_fails() {
    for (up, down) in [
        ("alter table branches add column note text;", "alter table branches drop column note;"),
        ("create index on branches (name);", "drop index branches_name_idx;"),
        (
            "alter table loans add column branch uuid references branches;",
            "alter table loans drop column branch;",
        ),
        ("grant select on branches to public;", "revoke select on branches from public;"),
    ] {
        check(
            |it| it.migration("loans/0002_trespass", up, down),
            3,
            &[
                "loans/0002_trespass touches table branches of app `library`, which `depends-on` of `loans` does not list",
            ],
        );
    }
}

#[test]
fn a_second_way_up_with_another_result_fails() {
    // A large object is data, so it outlives the way down without a trace in the catalogue.
    let up = "do $$ begin if exists (select from pg_largeobject_metadata) then create schema again; end if; perform lo_create(0); end $$;";
    let stdout = check(
        |it| it.migration("loans/0002_sly", up, "drop schema if exists again;"),
        3,
        &[
            "up again gives the same fingerprint",
            "FAILED",
            "unexpected  schema again",
            "loans/0002_sly makes something else",
        ],
    );
    assert_eq!(stdout.matches("unexpected  schema again").count(), 1, "{stdout}");
}

#[test]
fn seeds_that_write_again_fail() {
    check(
        |it| it.write("loans/seed.sql", "update roles set description = description;"),
        3,
        &["seeds write", "FAILED", "the second run changed rows: roles ~3"],
    );
}

#[test]
fn an_up_that_fails_is_an_error_like_any_other() {
    check(
        |it| {
            it.migration("people/0002_left", "create schema extra;", "select 1;");
            it.migration("loans/0002_bad", "selec 1;", "select 1;");
        },
        1,
        // What was found before it is reported.
        &["remains     schema extra", "error: migration loans/0002_bad failed"],
    );
}

#[test]
fn programs_read_the_flaws() {
    as_own_role(async |_, url| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_more", "create schema extra;", "select 1;");
        checkout.write("loans/0003_merge.up.sql", "-- irreversible: a\nselect 1;");
        let output = outcome(&checkout.command(url, &["verify", "--format", "json"]));
        let json: serde_json::Value = serde_json::from_str(&output.expect(3, &[]).stdout).unwrap();
        assert_eq!(json["flaws"][1], "  remains     schema extra");
        assert_eq!(json["irreversible"][0]["migration"], "loans/0003_merge");
        assert_eq!(json["irreversible"][0]["why"], "a");
    });
}

#[test]
fn an_interrupted_proof_leaves_nothing() {
    as_own_role(async |db, url| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_slow", "select pg_sleep(600);", "select 1;");
        let running = checkout.command(url, &["verify"]).stdout_capture().stderr_capture().start().unwrap();
        let asleep = "select exists (select from pg_stat_activity where usename = $1 and query like '%pg_sleep(600)%')";
        let start = Instant::now();
        while !sqlx::query_scalar::<_, bool>(asleep).bind(db.name()).fetch_one(db.pool()).await.unwrap() {
            assert!(start.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        send(&running, Signal::INT);
        let output = running.wait().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
    });
}

const TWICE: &str = "what belongs to the whole server can be made and dropped twice";

#[test]
fn a_role_that_a_migration_makes_must_be_safe_to_make_twice() {
    as_own_role(async |db, url| {
        let checkout = Checkout::new();
        let role = format!("{}_more", db.name());
        let (create, drop) = (format!("create role {role};"), format!("drop role if exists {role};"));
        let changes =
            format!("outside of the database, migrations/people/0002_role.up.sql changes role {role}");
        let block = format!("do $$ begin execute 'create role {role}'; end $$;");
        for (up, down) in [(&create, "select 1;"), (&create, &drop), (&block, &drop)] {
            checkout.migration("people/0002_role", up, down);
            let said = [
                TWICE,
                "FAILED",
                "migrations/people/0002_role.up.sql:1",
                "make it safe to run twice: do $$ begin create role",
            ];
            let printed = outcome(&checkout.command(url, &["verify"]));
            printed.expect(3, &said).expect(3, &["not all of it holds", &changes]);
            db.pool().execute(AssertSqlSafe(drop.clone())).await.unwrap();
        }
        let safe =
            format!("do $$ begin create role {role}; exception when duplicate_object then null; end $$;");
        checkout.migration("people/0002_role", &safe, &format!("drop role {role};"));
        let said =
            ["FAILED", "people/0002_role.down.sql:1", "make it safe to run twice: do $$ begin drop role"];
        outcome(&checkout.command(url, &["verify"])).expect(3, &said);
        for down in [&drop, "select 1;"] {
            checkout.migration("people/0002_role", &safe, down);
            let said = ["all of it holds", &changes, TWICE];
            outcome(&checkout.command(url, &["verify"])).expect(0, &said);
        }
        db.pool().execute(AssertSqlSafe(drop)).await.unwrap();
    });
}

#[test]
fn what_migrations_change_outside_of_their_database_is_listed_with_the_file() {
    as_own_role(async |db, url| {
        let (checkout, name) = (Checkout::new(), db.name());
        let ups = [
            "alter role current_user set work_mem = '5MB';".to_owned(),
            "do $$ begin execute format('grant pg_monitor to %I', current_user); end $$;".to_owned(),
            format!("alter database {name} connection limit 90;"),
            format!("alter database {name} set work_mem = '6MB';"),
            "do $$ begin execute format('comment on database %I is ''ours''', current_database()); end $$;"
                .to_owned(),
            // No file mentions its name, as with a role that another session makes meanwhile.
            format!(
                "do $$ begin execute 'create role {}' || '{}'; exception when duplicate_object then null; end $$;",
                &name[..9],
                &name[9..].replace('_', "x")
            ),
        ];
        for (up, number) in ups.iter().zip(2..) {
            checkout.migration(&format!("loans/{number:04}_more"), up, "select 1;");
        }
        let printed = outcome(&checkout.command(url, &["verify", "--format", "json"]));
        let json: serde_json::Value = serde_json::from_str(&printed.expect(0, &[]).stdout).unwrap();
        let listed = json["of_the_server"].as_array().unwrap();
        let listed: Vec<String> = listed
            .iter()
            .map(|it| format!("{} {}", it["file"].as_str().unwrap(), it["what"].as_str().unwrap()))
            .collect();
        let expected = [
            format!("migrations/loans/0004_more.up.sql database {name}"),
            format!("migrations/loans/0003_more.up.sql membership of role {name} in role pg_monitor"),
            format!("migrations/loans/0005_more.up.sql setting work_mem of database {name}"),
            format!("migrations/loans/0002_more.up.sql setting work_mem of role {name}"),
            "migrations/loans/0006_more.up.sql the comment of the database, which is its environment marker"
                .to_owned(),
        ];
        assert_eq!(listed, expected);
        let made = format!("drop role {}{}", &name[..9], &name[9..].replace('_', "x"));
        db.pool().execute(AssertSqlSafe(made)).await.unwrap();
    });
}
