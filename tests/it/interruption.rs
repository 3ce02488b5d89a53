//! Ctrl-C, SIGTERM and kill -9 at any moment: no half-done work stays, and the same command succeeds when run again.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    process::Output,
    time::{Duration, Instant},
};

use duct::{Expression, Handle};
use rustix::process::{Pid, Signal, kill_process};
use tests::TestDatabase;

use crate::{
    checkout::Checkout,
    locking::wait_for_session,
    native_server::{PATIENCE, wait_until},
    snapshot::{shape, snapshot},
};

pub(crate) fn send(handle: &Handle, signal: Signal) {
    for pid in handle.pids() {
        // The process may already have ended.
        let _ = kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal);
    }
}

/// Starts a command, sends it a signal while a session of it runs a statement with this text, and waits for its end.
///
/// It starts once the sessions of earlier commands have ended: the server notices a lost client late, and the text of
/// such a session would be taken for one of a command that does not yet listen for signals.
pub(crate) async fn signalled_during(
    db: &TestDatabase,
    command: &Expression,
    text: &str,
    signal: Signal,
) -> anyhow::Result<Output> {
    wait_until_nothing_is_left_behind(db).await;
    let running = command.stdout_capture().stderr_capture().unchecked().start()?;
    wait_for_session(db, text).await;
    send(&running, signal);
    Ok(running.wait()?.clone())
}

async fn wait_until_nothing_is_left_behind(db: &TestDatabase) {
    let start = Instant::now();
    while left_behind(db).await != (0, false) {
        assert!(start.elapsed() < PATIENCE, "a session of an earlier command still works");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How many sessions of our commands a database has, and whether one holds its migration lock.
async fn left_behind(db: &TestDatabase) -> (i64, bool) {
    sqlx::query_as(
        "select (select count(*) from pg_stat_activity where datname = current_database() and application_name ~ '^(cargo xtask|backend)'),
                exists (select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database()))",
    )
    .fetch_one(db.pool())
    .await
    .unwrap()
}

/// At how many moments the test kills the command, spread over its whole run.
const KILLS: u32 = 16;

const SLOW: &str = "create table half (id int);\nselect pg_sleep(600);";

#[test]
fn ctrl_c_during_a_migration_cancels_it_on_the_server() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        tests::empty().run(async |db| {
            let checkout = Checkout::new();
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            checkout.migration("people/0002_slow", SLOW, "drop table half;");
            let before = snapshot(db).await;
            let migrate = checkout.command(&db.url(), &["migrate"]);
            let output = signalled_during(db, &migrate, "pg_sleep", signal).await?;
            assert_eq!(output.status.code(), Some(130), "{output:?}");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                said.contains("interrupted: any open transaction was rolled back; earlier changes stay"),
                "{said}"
            );
            // The server cancels it at once, not only at its next check for lost clients.
            assert_eq!(left_behind(db).await, (0, false));
            assert_eq!(before, snapshot(db).await);
            checkout.migration("people/0002_slow", "create table half (id int);", "drop table half;");
            checkout.xtask(db, &["migrate"]).expect(0, &["people/0002_slow"]);
            Ok(())
        });
    }
}

#[test]
fn the_server_notices_kill_9_during_a_migration() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.migration("people/0002_slow", SLOW, "drop table half;");
        let before = snapshot(db).await;
        signalled_during(db, &checkout.command(&db.url(), &["migrate"]), "pg_sleep", Signal::KILL).await?;
        wait_until_nothing_is_left_behind(db).await;
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn db_setup_succeeds_after_kill_9_at_any_moment() {
    let (mut expected, mut duration) = (Vec::new(), Duration::ZERO);
    tests::empty().run(async |db| {
        let start = Instant::now();
        Checkout::new().xtask(db, &["db-setup"]).expect(0, &[]);
        duration = start.elapsed();
        expected = shape(db).await;
        Ok(())
    });
    let (mut kills, mut at_work) = (0, 0);
    while kills < KILLS {
        tests::empty().run(async |db| {
            let checkout = Checkout::new();
            let running =
                checkout.command(&db.url(), &["db-setup"]).stdout_capture().stderr_capture().start()?;
            tokio::time::sleep(duration * (2 * kills + 1) / (2 * KILLS)).await;
            let connected = left_behind(db).await.0 > 0;
            send(&running, Signal::KILL);
            if running.wait()?.status.signal() != Some(Signal::KILL.as_raw()) {
                // It was faster than the undisturbed run, so the kill came too late: retry with an earlier kill.
                duration = duration * 3 / 4;
                return Ok(());
            }
            kills += 1;
            at_work += u32::from(connected);
            checkout
                .xtask(db, &["db-setup"])
                .expect(0, &["9 tables, 19 seeded rows, exactly as the files say"]);
            checkout.xtask(db, &["db-check"]).expect(0, &[]);
            // This command refuses an unmarked database, so `db-setup` must have marked it in spite of the kill.
            checkout.xtask(db, &["migrate", "loans", "zero"]).expect(0, &[]);
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            assert_eq!(expected, shape(db).await, "kill {kills} of {KILLS}, of {duration:?}");
            Ok(())
        });
    }
    assert!(at_work > 0, "no kill came while it was connected");
}

#[test]
fn a_command_can_be_interrupted_even_while_it_waits_for_a_program_that_does_not_answer() {
    let checkout = Checkout::new();
    checkout.migration("people/0001_twice", "select 1;", "select 1;");
    let (bin, pid) = (checkout.root().join("bin"), checkout.root().join("pid"));
    fs::create_dir(&bin).unwrap();
    fs::write(
        bin.join("git"),
        format!("#!/bin/sh\necho $$ > {0}.new; mv {0}.new {0}; exec sleep 600\n", pid.display()),
    )
    .unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for signal in [Signal::INT, Signal::TERM] {
        let running =
            checkout.with_path("", &["renumber"], &path).stdout_null().stderr_capture().start().unwrap();
        wait_until("it waits for git", || pid.exists());
        let git: i32 = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
        fs::remove_file(&pid).unwrap();
        send(&running, signal);
        wait_until("it has ended", || running.try_wait().unwrap().is_some());
        let _ = kill_process(Pid::from_raw(git).unwrap(), Signal::KILL);
        let output = running.wait().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted: "), "{output:?}");
    }
}
