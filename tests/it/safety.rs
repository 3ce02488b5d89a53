//! A command destroys a database that might matter only if the user types its name, and only one command prints a password.

use std::fs;

use sqlx::{ConnectOptions, Connection, Executor};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, outcome},
    snapshot::snapshot,
};

async fn mark(db: &TestDatabase, marker: &str) {
    let sql = format!("comment on database {} is {marker}", db.name());
    db.pool().execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
}

/// The commands that destroy data in a database with every migration.
const DESTRUCTIVE: &[&[&str]] = &[
    &["db-drop"],
    &["db-reset"],
    &["flush"],
    &["migrate", "people", "zero"],
    &["migrate", "library", "0001"],
];

#[test]
fn a_database_that_might_matter_is_not_destroyed() {
    for (marker, said) in [
        (
            "'environment=production created=2026-03-02'",
            "is marked `production` (set when it was created, 2026-03-02)",
        ),
        ("null", "has no environment marker"),
        ("'the sales database'", "has no environment marker"),
    ] {
        tests::empty().run(async |db| {
            let checkout = Checkout::new();
            checkout.xtask(db, &["db-setup"]).expect(0, &[]);
            mark(db, marker).await;
            let before = snapshot(db).await;
            for args in DESTRUCTIVE {
                let command =
                    format!("if you mean it: cargo xtask {} --confirm {}", args.join(" "), db.name());
                checkout.xtask(db, args).expect(4, &["refused: ", said, "would destroy", &command]);
                let wrong = [args as &[&str], &["--confirm", "app"]].concat();
                checkout.xtask(db, &wrong).expect(4, &["refused: --confirm app names another database than"]);
            }
            assert_eq!(before, snapshot(db).await);
            checkout
                .xtask(db, &["migrate", "library", "0001", "--confirm", db.name()])
                .expect(0, &["reverted"]);
            db.pool().close().await;
            checkout.xtask(db, &["db-drop", "--confirm", db.name()]).expect(0, &["dropped"]);
            Ok(())
        });
    }
}

#[test]
fn a_reset_keeps_the_environment_of_the_database() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        mark(db, "'environment=staging created=2026-03-02'").await;
        db.pool().close().await;
        checkout.xtask(db, &["db-reset", "--confirm", db.name()]).expect(0, &["dropped", "created"]);
        checkout.xtask(db, &["db-drop"]).expect(4, &["is marked `staging`"]);
        checkout
            .xtask(db, &["db-setup", "--environment", "test"])
            .expect(0, &["it has been marked `staging` since its creation"]);
        let reset = ["db-reset", "--environment", "test", "--confirm", db.name()];
        checkout.xtask(db, &reset).expect(0, &[]);
        checkout.xtask(db, &["db-drop"]).expect(0, &["dropped"]);
        Ok(())
    });
}

#[test]
fn going_forward_needs_no_confirmation() {
    tests::empty().run(async |db| {
        mark(db, "'environment=production created=2026-03-02'").await;
        Checkout::new().xtask(db, &["migrate", "library", "0001"]).expect(0, &["applied"]);
        Ok(())
    });
}

#[test]
fn a_database_in_use_is_not_dropped_without_force() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        db.pool().execute("set application_name = 'my server'").await?;
        for verb in ["db-drop", "db-reset"] {
            let again = format!("cargo xtask {verb} --force");
            checkout.xtask(db, &[verb]).expect(
                1,
                &["has open connections", "application `my server`", "nothing was touched", &again],
            );
        }
        checkout.xtask(db, &["db-reset", "--force"]).expect(0, &["dropped", "created", "9 tables"]);
        Ok(())
    });
}

#[test]
fn the_servers_own_databases_are_not_dropped() {
    tests::empty().run(async |db| {
        for name in ["postgres", "template1"] {
            let url = db.url().replace(db.name(), name);
            let output = outcome(&Checkout::new().command(&url, &["db-drop", "--confirm", name]));
            output.expect(1, &["belongs to the server itself"]);
        }
        Ok(())
    });
}

#[test]
fn an_empty_unmarked_database_is_marked_by_db_setup_and_a_used_one_is_not() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        mark(db, "null").await;
        db.pool().execute("create table stray (id int)").await?;
        checkout.xtask(db, &["db-setup"]).expect(3, &["unexpected  table stray"]);
        checkout.xtask(db, &["db-drop", "--force"]).expect(4, &["no environment marker"]);
        Ok(())
    });
    // An extension may have tables with rows.
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        mark(db, "null").await;
        db.pool().execute("create extension pg_stat_statements").await?;
        checkout.xtask(db, &["db-setup"]).expect(3, &["unexpected  extension pg_stat_statements"]);
        checkout.xtask(db, &["db-drop", "--force"]).expect(4, &["no environment marker"]);
        Ok(())
    });
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        mark(db, "null").await;
        checkout.xtask(db, &["db-setup", "--environment", "test"]).expect(0, &[]);
        checkout.xtask(db, &["db-drop", "--force"]).expect(0, &["dropped"]);
        Ok(())
    });
}

#[test]
fn only_db_url_prints_a_password() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let url = db.url();
        let password =
            url.split_once("://").unwrap().1.split_once('@').unwrap().0.split_once(':').unwrap().1.to_owned();
        let wrong = url.replace(&password, "wr0ng-s3cret");
        let nowhere = url.replace(db.name(), "nowhere");
        let folder = checkout.root().join("dump").display().to_string();
        for args in [
            &["db-setup"] as &[&str],
            &["db-setup", "--format", "json"],
            &["db-check"],
            &["migrate"],
            &["seed"],
            &["showmigrations"],
            &["inspect"],
            &["flush"],
            &["dumpdata", "--force", "--output", &folder],
            &["server", "status"],
            &["server", "stop"],
            &["db-url", "--redacted"],
        ] {
            for (url, secret) in [(&url, password.as_str()), (&wrong, "wr0ng-s3cret"), (&nowhere, &password)]
            {
                let output = outcome(&checkout.command(url, args));
                assert!(
                    !output.stdout.contains(secret) && !output.stderr.contains(secret),
                    "{args:?}: {output:?}"
                );
            }
        }
        outcome(&checkout.command(&nowhere, &["db-drop"])).expect(0, &[]);
        let printed = outcome(&checkout.command(&url, &["db-url"]));
        assert_eq!(printed.expect(0, &[]).stdout.trim(), url);
        Ok(())
    });
}

#[test]
fn commands_read_the_env_file_and_never_write_it() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let file = checkout.root().join(".env");
        let text = format!("# mine\nOTHER=1\nDATABASE_URL={}\n", db.url());
        fs::write(&file, &text)?;
        for args in [&["db-setup"] as &[&str], &["db-check"], &["server", "status"], &["db-reset", "--force"]]
        {
            outcome(&checkout.bare_command(args)).expect(0, &[]);
        }
        outcome(&checkout.bare_command(&["server", "status"])).expect(0, &["DATABASE_URL (.env)"]);
        assert_eq!(fs::read_to_string(&file)?, text);
        Ok(())
    });
}

#[test]
fn a_reset_that_fails_leaves_the_database_as_it_was_and_the_next_one_begins_again() {
    tests::empty().run(async |db| {
        let checkout = crate::failing_sql::one_app();
        let (name, role) = (db.name(), format!("{}_role", db.name()));
        checkout.migration("a/0002_role", &format!("create role {role};"), &format!("drop role {role};"));
        checkout.xtask(db, &["db-setup"]).expect(0, &[]);
        db.pool().execute("insert into t values (1, 2)").await?;
        let before = snapshot(db).await;
        let url = db.url();
        db.pool().close().await;
        let reset = || outcome(&checkout.command(&url, &["db-reset", "--confirm", name]));
        reset().expect(
            1,
            &[
                "a/0002_role.up.sql:1",
                "it belongs to the whole server, where another database may have made it before; make it safe to run twice: \
                 do $$ begin create role",
                "exception when duplicate_object then null; end $$;",
                &format!("database `{name}` was not touched"),
            ],
        );
        let mut conn = db.options().connect().await?;
        let rows: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut conn).await?;
        let beside = "select count(*) from pg_database where datname like current_database() || '_new'";
        let left: i64 = sqlx::query_scalar(beside).fetch_one(&mut conn).await?;
        assert_eq!((rows, left), (1, 0), "{before:?}");
        // As a reset leaves it that was killed.
        let sql = format!("create database {name}_new; comment on database {name}_new is 'environment=being-built created=2026-01-01'");
        for sql in sql.split("; ") {
            conn.execute(sqlx::AssertSqlSafe(sql.to_owned())).await?;
        }
        conn.close().await?;
        let safe = format!("do $$ begin create role {role}; exception when duplicate_object then null; end $$;");
        checkout.migration("a/0002_role", &safe, &format!("drop role {role};"));
        reset().expect(0, &["dropped", &format!("renamed to {name}")]);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        checkout.xtask(db, &["migrate", "a", "0001"]).expect(0, &["reverted"]);
        Ok(())
    });
}
