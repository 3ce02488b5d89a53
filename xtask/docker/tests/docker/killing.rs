//! `kill -9`, which no process can handle, at many moments of a command.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    docker::{Docker, wait_until},
    engine::Engine,
    running::{Running, Victim},
};

const KILLS: u32 = 5;

/// Moments from the beginning of a command to its end.
fn moments(whole: Duration) -> impl Iterator<Item = Duration> {
    (0..KILLS).map(move |kill| whole * (2 * kill + 1) / (2 * KILLS))
}

/// How long the command takes if it is not killed.
fn undisturbed(it: &Docker, args: &[&str]) -> Duration {
    let began = Instant::now();
    it.xtask(args).expect(0, &[]);
    began.elapsed()
}

/// The next start removes what is left, and so does `server sweep`.
fn proofs_killed(victim: Victim) {
    let verify = ["--server", "docker", "verify"];
    // On the machine's engine, the starts of other commands would sweep too.
    let engine = Engine::start();
    engine.load_image();
    let it = Docker::apart(engine);
    let mut killed = Vec::new();
    for (round, moment) in moments(undisturbed(&it, &verify)).enumerate() {
        let running = Running::start(&it, &verify);
        sleep(moment);
        let package = running.kill(victim);
        running.end();
        let next: &[&str] = if round % 2 == 0 { &["server", "sweep"] } else { &verify };
        it.xtask(next).expect(0, &[]);
        killed.extend(package);
    }
    assert!(!killed.is_empty(), "it never came as far as Docker");
    // The engine may carry out the last request of the killed command only now.
    wait_until("a test server is left", || {
        it.xtask(&["server", "sweep"]).expect(0, &["of killed commands removed"]);
        killed.iter().all(|package| it.test_servers_of(package) == 0)
    });
}

#[test]
fn proofs_killed_with_all_their_processes_leave_no_container() {
    proofs_killed(Victim::Both);
}

#[test]
fn proofs_whose_xtask_is_killed_leave_no_container() {
    proofs_killed(Victim::Xtask);
}

#[test]
fn proofs_whose_container_has_lost_its_keeper_leave_no_container() {
    proofs_killed(Victim::Package);
}

#[test]
fn a_container_ends_with_xtask_without_a_sweep() {
    let it = Docker::new();
    it.checkout.migration("people/0002_slow", "select pg_sleep(600);", "select 1;");
    let running = Running::start(&it, &["--server", "docker", "verify"]);
    let package = running.wait_for_package();
    wait_until("no test server started", || it.test_servers_of(&package) > 0);
    running.kill(Victim::Xtask);
    running.end();
    assert_eq!(it.test_servers_of(&package), 0);
}

/// The next command repairs whatever is there: one container, one volume.
fn db_setup_killed(victim: Victim) {
    let db_setup = ["--server", "docker", "db-setup"];
    for moment in moments(undisturbed(&Docker::new(), &db_setup)) {
        let it = Docker::new();
        let running = Running::start(&it, &db_setup);
        sleep(moment);
        running.kill(victim);
        running.end();
        it.xtask(&db_setup).expect(0, &["9 tables, 19 seeded rows, exactly as the files say"]);
        it.xtask(&["db-check"]).expect(0, &[]);
        assert_eq!(it.containers(), [format!("{} running", it.container())], "after {moment:?}");
        assert_eq!(it.volumes(), [format!("{}-pg15", it.container())], "after {moment:?}");
    }
}

#[test]
fn db_setup_killed_with_all_its_processes_works_the_next_time() {
    db_setup_killed(Victim::Both);
}

#[test]
fn db_setup_whose_xtask_is_killed_works_the_next_time() {
    db_setup_killed(Victim::Xtask);
}

#[test]
fn db_setup_that_lost_its_container_midway_works_the_next_time() {
    db_setup_killed(Victim::Package);
}
