//! What can happen while `adopt` runs: another `adopt`, a change of the schema, Ctrl-C.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Executor};
use tests::TestDatabase;

use super::{exists, without_ledger};
use crate::{
    checkout::{Checkout, outcome},
    interop::rows,
    interruption::send,
    native_server::PATIENCE,
    verifying::as_own_role,
};

async fn wait_until(db: &TestDatabase, what: &str) {
    let start = Instant::now();
    while !exists(db, what).await {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn of_several_adopts_at_once_one_records_the_migrations_and_the_others_find_nothing_pending() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        without_ledger(&checkout, db, &[]).await;
        let start =
            || checkout.command(&db.url(), &["adopt"]).stdout_capture().stderr_capture().start().unwrap();
        let both = [start(), start(), start()];
        let mut adopted = 0;
        for running in &both {
            let output = running.wait()?;
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{output:?}");
            adopted += usize::from(said.contains("adopted"));
        }
        assert_eq!(adopted, 1);
        assert_eq!(rows(db).await.len(), 5);
        Ok(())
    });
}

#[test]
fn adopt_notices_a_schema_change_while_it_builds_the_copy_to_compare_with() {
    as_own_role(async |db, url| {
        let checkout = Checkout::new();
        outcome(&checkout.command(url, &["migrate"])).expect(0, &[]);
        db.pool().execute("drop schema migrations cascade").await.unwrap();
        // Every database of a server sees the same roles, so creating a role lets the migration go on.
        let go_on = format!("{}_go_on", db.name());
        let wait = format!(
            "do $$ begin while not exists (select from pg_roles where rolname = '{go_on}') loop perform pg_sleep(0.005); end loop; end $$;"
        );
        checkout.migration("loans/0002_slow", &wait, "select 1;");
        let running = checkout.command(url, &["adopt"]).stdout_capture().stderr_capture().start().unwrap();
        wait_until(
            db,
            &format!(
                "select from pg_stat_activity where usename = '{}' and query like 'do $$%{go_on}%'",
                db.name()
            ),
        )
        .await;
        db.pool().execute("create table stray ()").await.unwrap();
        db.pool().execute(AssertSqlSafe(format!("create role {go_on}"))).await.unwrap();
        let output = running.wait().unwrap();
        db.pool().execute(AssertSqlSafe(format!("drop role {go_on}"))).await.unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("the schema changed meanwhile"),
            "{output:?}"
        );
        assert!(!exists(db, "select from pg_namespace where nspname = 'migrations'").await);
        db.pool().execute("drop schema public cascade").await.unwrap();
    });
}

#[test]
fn an_interrupted_adopt_records_nothing_and_leaves_nothing_behind() {
    as_own_role(async |db, url| {
        let checkout = Checkout::new();
        outcome(&checkout.command(url, &["migrate"])).expect(0, &[]);
        db.pool().execute("drop schema migrations cascade").await.unwrap();
        checkout.migration("loans/0002_slow", "select pg_sleep(600);", "select 1;");
        let running = checkout.command(url, &["adopt"]).stdout_capture().stderr_capture().start().unwrap();
        let asleep = format!(
            "select from pg_stat_activity where usename = '{}' and query like '%pg_sleep(600)%'",
            db.name()
        );
        wait_until(db, &asleep).await;
        send(&running, Signal::INT);
        let output = running.wait().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert!(!exists(db, "select from pg_namespace where nspname = 'migrations'").await);
        db.pool().execute("drop schema public cascade").await.unwrap();
    });
}
