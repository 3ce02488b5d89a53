//! SQL that Postgres rejects: the message says where, earlier migrations stay applied, and this one is rolled back.

use migrations::Report;
use sqlx::Executor;
use tests::TestDatabase;

use crate::{
    checkout::Checkout,
    snapshot::{shape, snapshot},
};

/// An app with a good migration and a bad one, whose failure must leave no trace.
#[track_caller]
fn check(up: &str, said: &[&str]) {
    tests::empty().run(async |db: &TestDatabase| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0001_first"]);
        let before = snapshot(db).await;
        checkout.migration("a/0002_bad", up, "select 1;");
        checkout.xtask(db, &["migrate"]).expect(1, said).expect(
            1,
            &[
                "error: migration a/0002_bad failed; nothing of it was kept",
                "fix the file and run the same command again",
            ],
        );
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

pub(crate) fn one_app() -> Checkout {
    let manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n[[app]]\nname = \"a\"\ndepends-on = []\ntables = [\"t\"]\n";
    let ledger = "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.a\"\n";
    let checkout = Checkout::with_files(manifest, &[("a/sqlx.toml", ledger)]);
    checkout.migration("a/0001_first", "create table t (id int, n int);", "drop table t;");
    checkout
}

#[test]
fn a_wrong_name_is_shown_with_its_line_and_a_mark_under_it() {
    check(
        "-- Why.\ncreate table u (id int);\n\ninsert into tt values (1);\n",
        &[
            "┌ migrations/a/0002_bad.up.sql:4",
            "4│ insert into tt values (1);",
            "│             ^^ relation \"tt\" does not exist (42P01)",
        ],
    );
}

#[test]
fn an_error_without_a_position_is_shown_at_its_statement() {
    check(
        "create table u (id int);\n\n-- Again; by mistake.\ncreate table t (\n    id int\n);\n",
        &[
            "┌ migrations/a/0002_bad.up.sql:4",
            "4│ create table t (",
            "5│     id int",
            "6│ );",
            "└ relation \"t\" already exists (42P07)",
        ],
    );
}

#[test]
fn an_error_shows_the_detail_and_context_from_postgres() {
    check(
        "insert into t values (1), (1);\ncreate unique index on t (id);",
        &["0002_bad.up.sql:2", "could not create unique index", "detail: Key (id)=(1) is duplicated."],
    );
    check(
        "do $$ begin\n  perform 1/0;\nend $$;",
        &[
            "0002_bad.up.sql:1",
            "division by zero (22012)",
            "in: SQL statement \"SELECT 1/0\"",
            "PL/pgSQL function",
        ],
    );
}

#[test]
fn a_deferred_constraint_that_fails_at_commit_rolls_everything_back() {
    check(
        "create table u (id int primary key, t int references u deferrable initially deferred);\ninsert into u values (1, 2);",
        &["migrations/a/0002_bad.up.sql", "violates foreign key constraint \"u_t_fkey\""],
    );
}

#[test]
fn a_failed_ledger_insert_rolls_the_migration_back() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool()
            .execute(
                "create function refuse() returns trigger language plpgsql as $$ begin raise 'not today'; end $$;
                 create trigger refuse before insert on migrations.a for each row execute function refuse()",
            )
            .await?;
        let before = snapshot(db).await;
        checkout.migration("a/0002_more", "create table u (id int);", "drop table u;");
        let said = [
            "migration a/0002_more broke off; nothing of it was kept",
            "a/0002_more.up.sql",
            "not today",
        ];
        checkout.xtask(db, &["migrate"]).expect(1, &said);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn copy_from_stdin_and_to_stdout_fail_instead_of_hanging() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let before = snapshot(db).await;
        let rows = "select 1;\ncopy t (id, n) from stdin;\n1\tit's\n\\.\n";
        for (up, place, said) in [
            ("copy t from stdin;", "0002_copy.up.sql:1", "write inserts"),
            (rows, "0002_copy.up.sql:2", "write inserts"),
            ("copy t to stdout;", "0002_copy.up.sql:1", "has no reader"),
        ] {
            checkout.migration("a/0002_copy", up, "select 1;");
            checkout.xtask(db, &["migrate"]).expect(1, &[place, said]);
            assert_eq!(before, snapshot(db).await);
        }
        Ok(())
    });
}

#[test]
fn each_error_comes_with_its_own_remedy() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.migration("a/0002_x", "vacuum t;", "select 1;");
        checkout
            .xtask(db, &["migrate"])
            .expect(1, &["(25001)", "make `-- no-transaction` the very first line"]);
        checkout.migration("a/0002_x", "select pg_sleep(60);", "select 1;");
        checkout
            .xtask(db, &["migrate", "--statement-timeout", "1"])
            .expect(1, &["it took longer than the statement timeout allows"]);
        checkout.migration("a/0002_x", "select pg_terminate_backend(pg_backend_pid());", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(1, &["(57P01)", "an administrator ended the session"]);
        Ok(())
    });
}

#[test]
fn characters_of_several_bytes_do_not_move_the_mark() {
    check(
        "select 'äöü–€', nix;",
        &["1│ select 'äöü–€', nix;", "  │                 ^^^ column \"nix\" does not exist"],
    );
}

#[test]
fn tabs_and_long_lines_do_not_move_the_mark() {
    check("\tselect\tnix;", &["1│     select    nix;", "  │               ^^^ column"]);
    let row = "(1), ".repeat(200);
    check(
        &format!("insert into t (id) values {row}(nix), {row}(2);"),
        &[
            "1│ …1), (1), ",
            "(1), (nix), (1), ",
            "…\n",
            "│                                                              ^^^ column \"nix\"",
        ],
    );
}

#[test]
fn session_settings_of_a_migration_end_with_it() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        let role = format!("{}_role", db.name());
        let up = format!(
            "create role {role}; create schema elsewhere; set search_path = elsewhere; set statement_timeout = 1; set role {role};"
        );
        checkout.migration("a/0002_sets", &up, &format!("drop schema elsewhere; drop role {role};"));
        checkout.migration("a/0003_next", "create table u (id int); select pg_sleep(0.05);", "drop table u;");
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0003_next"]);
        assert!(shape(db).await.iter().any(|line| line.starts_with("relation public.u r")));
        checkout.xtask(db, &["migrate", "a", "zero"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn earlier_migrations_stay_applied_and_are_listed() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.migration("a/0002_more", "create table u (id int);", "drop table u;");
        checkout.migration("a/0003_bad", "selec 1;", "select 1;");
        checkout
            .xtask(db, &["migrate"])
            .expect(1, &["applied before it and kept: a/0001_first, a/0002_more"]);
        let applied: i64 =
            sqlx::query_scalar("select count(*) from migrations.a").fetch_one(db.pool()).await?;
        assert_eq!(applied, 2);
        checkout.migration("a/0003_bad", "select 1;", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &["a/0003_bad", "applied"]);
        Ok(())
    });
}

#[test]
fn a_migration_stays_applied_if_its_down_file_fails() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.migration("a/0001_first", "create table t (id int);", "drop table t;\ndrop table nix;");
        checkout.xtask(db, &["db-setup"]).expect(0, &[]);
        let before = snapshot(db).await;
        checkout.xtask(db, &["migrate", "a", "zero", "--confirm", db.name()]).expect(
            1,
            &[
                "the way back of a/0001_first failed; nothing of it was kept",
                "migrations/a/0001_first.down.sql:2",
                "table \"nix\" does not exist",
            ],
        );
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn what_only_psql_understands_is_named_with_what_to_write_instead() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        for (line, said) in [
            (
                "\\restrict dGhlIGtleQ",
                "`\\restrict` is a command of psql, which the server does not understand; remove",
            ),
            ("\\connect app", "`\\connect` is a command of psql"),
            ("\\ir other.sql", "put the SQL of that file here"),
            ("select 1 \\gset", "`\\gset` is a command of psql"),
            ("select :name;", "`:name` is a variable of psql, and here nothing replaces it; write its value"),
            ("select * from :\"name\";", "`:name` is a variable of psql"),
        ] {
            checkout.migration("a/0002_psql", &format!("select 1;\n{line}\n"), "select 1;");
            checkout.xtask(db, &["migrate"]).expect(1, &["migrations/a/0002_psql.up.sql:2", said]);
            checkout.remove("a/0002_psql.up.sql");
            checkout.remove("a/0002_psql.down.sql");
            checkout.write("a/seed.sql", &format!("select 1;\n{line}\n"));
            checkout.xtask(db, &["seed"]).expect(1, &["migrations/a/seed.sql:2", said]);
            checkout.remove("a/seed.sql");
        }
        Ok(())
    });
}

#[test]
fn a_message_in_another_encoding_is_an_error_with_its_place() {
    tests::empty().run(async |db| {
        let checkout = one_app();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let up = "set client_encoding = latin1;\ndo $$ begin raise 'é'; end $$;";
        checkout.migration("a/0002_latin", up, "select 1;");
        let said = ["migrations/a/0002_latin.up.sql:2", "sets `client_encoding`, remove that"];
        let printed = checkout.xtask(db, &["migrate"]);
        assert!(!printed.expect(1, &said).stderr.contains("authentication"), "{printed:?}");
        Ok(())
    });
}

#[test]
fn the_report_of_a_violated_key_says_which_row_and_not_where_postgres_found_out() {
    tests::empty().run(async |db| {
        db.pool().execute("create table p (id int primary key); create table c (p int references p)").await?;
        db.pool().execute("insert into p values (1)").await?;
        for (sql, said) in [
            ("insert into p values (1)", "detail: Key (id)=(1) already exists."),
            ("insert into c values (2)", "detail: Key (p)=(2) is not present in table \"p\"."),
        ] {
            let error = db.pool().execute(sql).await.unwrap_err();
            let report = Report::new(&error).to_string();
            assert!(report.contains(said) && !report.contains("at line"), "{report}");
        }
        Ok(())
    });
}
