//! The promises of `cargo xtask` hold for sqlx-cli too: exit codes, a check of the database before it is destroyed, and no
//! password in a message.

use std::time::Duration;

use ::tests::TestDatabase;
use rustix::process::{Pid, Signal, kill_process};

use crate::{checkout::Checkout, snapshot::snapshot, sqlx};

/// How many sessions are running the slow migration.
async fn sleeping(db: &TestDatabase) -> i64 {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'
               and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()";
    ::sqlx::query_scalar(sql).fetch_one(db.pool()).await.unwrap()
}

#[test]
fn postgres_refuses_an_order_that_the_graph_forbids_and_nothing_stays() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        sqlx(&checkout, db, "loans", "migrate run")
            .expect(1, &["error: while executing migration 1", "relation \"people\" does not exist"]);
        checkout.xtask(db, &["showmigrations"]).expect(0, &["loans\n [ ] 0001_initial"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["loans/0001_initial"]);
        let before = snapshot(db).await;
        sqlx(&checkout, db, "people", "migrate revert").expect(1, &["because other objects depend on it"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn the_app_is_required_and_checked() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for words in [&["sqlx", "migrate", "info"] as &[&str], &["sqlx", "database", "setup"]] {
            checkout.xtask(db, words).expect(
                2,
                &["needs an app\n  apps: people, library, loans\n", "cargo xtask sqlx --app people"],
            );
        }
        sqlx(&checkout, db, "poeple", "migrate info").expect(1, &["no app `poeple`; did you mean `people`?"]);
        sqlx(&checkout, db, "people", "migrate inform")
            .expect(2, &["unrecognized subcommand", "cargo xtask sqlx"]);
        checkout.xtask(db, &["sqlx"]).expect(2, &["COMMAND"]);
        checkout.xtask(db, &["sqlx", "--version"]).expect(0, &["0.9.0"]);
        checkout.xtask(db, &["sqlx", "migrate", "--help"]).expect(0, &["revert", "add"]);
        Ok(())
    });
}

#[test]
fn destructive_commands_check_the_database_first() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["db-setup"]).expect(0, &[]);
        let mark =
            format!("comment on database {} is 'environment=production created=2026-03-02'", db.name());
        ::sqlx::raw_sql(::sqlx::AssertSqlSafe(mark)).execute(db.pool()).await?;
        let before = snapshot(db).await;
        for words in ["migrate revert", "database drop -y", "database reset -y"] {
            let again = format!("cargo xtask sqlx --app loans --confirm {} {words}", db.name());
            sqlx(&checkout, db, "loans", words).expect(4, &["refused: ", "is marked `production`", &again]);
            let other: Vec<&str> =
                ["sqlx", "--app", "loans", "--confirm", "app"].into_iter().chain(words.split(' ')).collect();
            checkout.xtask(db, &other).expect(4, &["refused: --confirm app names another database than"]);
        }
        sqlx(&checkout, db, "loans", "migrate revert --dry-run").expect(0, &["Can apply 1/revert initial"]);
        assert_eq!(before, snapshot(db).await);
        let confirmed = ["sqlx", "--app", "loans", "--confirm", db.name(), "migrate", "revert"];
        checkout.xtask(db, &confirmed).expect(0, &["Applied 1/revert initial"]);
        Ok(())
    });
}

#[test]
fn a_migration_that_has_no_way_back_is_not_reverted() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let up = "alter table loans add column code text;";
        // sqlx-cli alone would skip the first of these for want of a down file, and remove the row of the second.
        checkout.write("loans/0002_merge.up.sql", &format!("-- irreversible: codes are gone\n{up}"));
        checkout.migration("loans/0003_gone", "select 1;", "-- irreversible: rows are gone\n");
        checkout.migration("loans/0004_note", "select 1;", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let (merge, gone) = ("loans/0002_merge.up.sql:1: codes are gone", "loans/0003_gone.down.sql:1: rows");
        let before = snapshot(db).await;
        for options in ["--target-version 0", "--target-version=1", "--target-version 0 --dry-run"] {
            sqlx(&checkout, db, "loans", &format!("migrate revert {options}"))
                .expect(1, &["error: loans/0003_gone, loans/0002_merge have no way back", merge, gone])
                .expect(1, &["cargo xtask migrate loans 0003_gone"]);
        }
        assert_eq!(before, snapshot(db).await);
        sqlx(&checkout, db, "loans", "migrate revert").expect(0, &["Applied 4/revert note"]);
        sqlx(&checkout, db, "loans", "migrate revert")
            .expect(1, &["error: loans/0003_gone has no way back", gone]);
        sqlx(&checkout, db, "loans", "migrate info").expect(0, &["3/installed gone\n4/pending note"]);
        Ok(())
    });
}

#[test]
fn only_the_checked_database_is_touched() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let elsewhere = "postgres://nobody@127.0.0.1:1/none";
        for words in [["-D", elsewhere], ["--database-url", elsewhere]] {
            let words = [&["sqlx", "--app", "people", "migrate", "info"] as &[&str], &words].concat();
            checkout.xtask(db, &words).expect(1, &["to use another one, set DATABASE_URL"]);
        }
        // Nor a database that the settings of an app name.
        checkout.replace(
            "people/sqlx.toml",
            "[migrate]",
            "[common]\ndatabase-url-var = \"OTHER\"\n\n[migrate]",
        );
        sqlx(&checkout, db, "people", "migrate info").expect(0, &["1/pending initial"]);
        Ok(())
    });
}

#[test]
fn interrupted_it_leaves_nothing_running_and_exits_with_130() {
    for signal in [Signal::INT, Signal::TERM] {
        tests::empty().run(async |db| {
            let checkout = Checkout::new();
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            checkout.migration("people/0002_slow", "select pg_sleep(600);", "select 1;");
            let before = snapshot(db).await;
            let words = ["sqlx", "--app", "people", "migrate", "run"];
            let running = checkout.command(&db.url(), &words).stdout_capture().stderr_capture().start()?;
            while sleeping(db).await == 0 {
                assert!(running.try_wait()?.is_none(), "it ended by itself");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let pid = Pid::from_raw(i32::try_from(running.pids()[0])?).unwrap();
            kill_process(pid, signal)?;
            let output = running.wait()?;
            assert_eq!(output.status.code(), Some(130), "{output:?}");
            assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted: "), "{output:?}");
            assert_eq!(sleeping(db).await, 0);
            assert_eq!(before, snapshot(db).await);
            Ok(())
        });
    }
}
