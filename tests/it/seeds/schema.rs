//! A seed writes rows: one that changes the schema is undone, and the message names the file and the object.

use std::time::{Duration, Instant};

use sqlx::{ConnectOptions, Executor, PgConnection, query_scalar};

use super::{FIRST, seed, with_unseeded};
use crate::{
    native_server::PATIENCE,
    snapshot::{shape, snapshot},
};

#[test]
fn a_seed_that_changes_the_schema_is_undone_and_named() {
    for (statement, said) in [
        (
            "create table stray (id int primary key, a text); insert into stray values (1, 'a')",
            "it makes table public.stray\n",
        ),
        ("create schema aside; create table aside.stray (id int)", "it makes table aside.stray\n"),
        ("create table if not exists stray as select 1 as a", "it makes table public.stray\n"),
        ("alter table branches add column note text", "it makes column public.branches.note\n"),
        ("drop index staff_person_id_idx", "it drops index public.staff_person_id_idx\n"),
        (
            "alter table branches alter column name set default 'x'",
            "it changes column public.branches.name: default\n",
        ),
        ("comment on table branches is 'Seeded.'", "it changes table public.branches: comment\n"),
        ("grant select on branches to pg_monitor", "it changes table public.branches: rights\n"),
        (
            "do $$ begin create function f() returns int language sql as 'select 1'; end $$",
            "it makes function public.f()\n",
        ),
        (
            "do $$ begin execute format('alter database %I set work_mem = ''5MB''', current_database()); end $$",
            "it changes database: settings\n",
        ),
        ("alter table branches disable trigger user", "it changes trigger public.branches."),
    ] {
        with_unseeded(async |checkout, db| {
            checkout.write(
                "library/seed.sql",
                &format!("insert into branches (name, slug) values ('a', 'a');\n{statement};\n"),
            );
            let before = snapshot(db).await;
            let all = [
                "the seed of app `library` changes the schema; nothing of any seed was kept",
                "migrations/library/seed.sql\n",
                said,
                "move that to a migration",
            ];
            for command in [&["seed"] as &[&str], &["seed", "--check"], &["db-setup"], &["flush"]] {
                let printed = checkout.xtask(db, command);
                printed.expect(1, &all);
                assert!(!printed.stderr.contains("stray.id"), "{}", printed.stderr);
            }
            assert_eq!(before, snapshot(db).await);
        });
    }
}

#[test]
fn temporary_tables_of_seeds_and_changes_that_are_taken_back_are_no_changes() {
    with_unseeded(async |checkout, db| {
        let seed_file = "create temporary table draft (name text, slug text) on commit drop; create index on draft (name);
            insert into draft values ('a', 'a'), ('b', 'b');
            alter table branches disable trigger user; truncate loans; alter table branches enable trigger user;
            insert into branches (name, slug) select name, slug from draft on conflict do nothing;";
        checkout.write("library/seed.sql", seed_file);
        let before = shape(db).await;
        assert_eq!(seed(checkout, db, &["--check"], 3), format!("branches +2, {FIRST}"));
        assert_eq!(seed(checkout, db, &[], 0), format!("branches +2, {FIRST}"));
        assert_eq!(seed(checkout, db, &[], 0), "0 changes");
        assert_eq!(before, shape(db).await);
    });
}

#[test]
fn what_another_session_does_meanwhile_is_not_blamed_on_a_seed() {
    with_unseeded(async |checkout, db| {
        // Because of the temporary table, the seeds run a second time, compared. Each run waits for the other session.
        let waiting = "create temporary table draft (id int); select pg_advisory_xact_lock_shared(7);
            insert into branches (name, slug) values ('a', 'a') on conflict do nothing;";
        checkout.write("library/seed.sql", waiting);
        let mut other = db.options().connect().await.unwrap();
        other.execute("select pg_advisory_lock(7)").await.unwrap();
        let seeding =
            checkout.command(&db.url(), &["seed"]).stdout_capture().stderr_capture().start().unwrap();
        wait_for_waiter(&mut other).await;
        // The second run waits again: the lock goes to this session first.
        let again = "create table beside (id int); select pg_advisory_unlock(7); select pg_advisory_lock(7)";
        other.execute(sqlx::raw_sql(again)).await.unwrap();
        wait_for_waiter(&mut other).await;
        let last = "create table beside_too (id int); select pg_advisory_unlock(7)";
        other.execute(sqlx::raw_sql(last)).await.unwrap();
        let output = seeding.into_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.contains(&format!("branches +1, {FIRST}")), "{said}");
    });
}

/// Waits until another session waits for an advisory lock.
async fn wait_for_waiter(conn: &mut PgConnection) {
    let sql = "select exists (select from pg_locks where locktype = 'advisory' and not granted
               and database = (select oid from pg_database where datname = current_database()))";
    let start = Instant::now();
    while !query_scalar::<_, bool>(sql).fetch_one(&mut *conn).await.unwrap() {
        assert!(start.elapsed() < PATIENCE, "no session waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
