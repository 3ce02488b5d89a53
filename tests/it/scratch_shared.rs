//! The service that plain `cargo test` starts by itself.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    borrowing::{RIGHT, Shared, begin, borrower, outcome_line, printed_lines, surrounded},
    checkout::{outcome, xtask},
    native_server::{lives, wait_until},
};
use duct::cmd;

#[track_caller]
fn expect_gone(host: Pid, (postmaster, folder): &(Pid, impl AsRef<Path>)) {
    wait_until("the service is gone", || !lives(host));
    wait_until("its server is gone", || !lives(*postmaster));
    assert!(!folder.as_ref().exists(), "{}", folder.as_ref().display());
}

#[test]
fn twenty_processes_at_once_start_one_service_and_later_ones_reuse_it_until_a_sweep() {
    let shared = Shared::new();
    let words = ["seeded", "1", "pass", RIGHT];
    let all: Vec<_> = (0..20).map(|_| begin(&borrower(&shared.checkout, &words, &[]))).collect();
    let mut names: Vec<String> = all.iter().flat_map(printed_lines).collect();
    assert!(names.iter().all(|line| line.ends_with(" 9 3")), "{names:?}");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 20);
    let hosts = shared.hosts();
    assert_eq!(hosts.len(), 1, "{hosts:?}");
    let server = shared.postmaster();
    assert_eq!(outcome_line(&shared.borrow(&words))[1..], ["9", "3"]);
    shared.xtask(&["server", "start", "--test"]).expect(0, &["kept"]);
    assert_eq!(shared.hosts(), hosts);
    assert_eq!(shared.postmaster(), server);
    shared.xtask(&["server", "sweep"]).expect(0, &["1 unused test server ended"]);
    assert!(!shared.socket().exists());
    expect_gone(hosts[0], &server);
}

#[test]
fn a_sweep_skips_a_service_in_use() {
    let shared = Shared::started();
    // An open connection counts as a use.
    let held = UnixStream::connect(shared.socket()).unwrap();
    shared.xtask(&["server", "sweep"]).expect(0, &["of killed commands removed"]);
    assert_eq!(shared.hosts().len(), 1);
    drop(held);
}

#[test]
fn after_the_service_is_killed_the_next_test_starts_another_and_removes_its_remains() {
    let shared = Shared::started();
    let (host, server) = (shared.hosts()[0], shared.postmaster());
    kill_process(host, Signal::KILL).unwrap();
    wait_until("it is gone", || !lives(host));
    let words = ["seeded", "1", "pass", RIGHT];
    let all: Vec<_> = (0..5).map(|_| begin(&borrower(&shared.checkout, &words, &[]))).collect();
    for one in &all {
        assert!(printed_lines(one)[0].ends_with(" 9 3"));
    }
    assert_eq!(shared.hosts().len(), 1);
    assert_ne!(shared.postmaster().0, server.0);
    expect_gone(host, &server);
    let (socket, mut left) = (shared.socket(), Vec::new());
    for entry in std::fs::read_dir(socket.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem() == socket.file_stem() && path.extension().unwrap() == "socket" {
            left.push(path);
        }
    }
    assert_eq!(left, [socket]);
}

#[test]
fn tests_that_wait_for_a_killed_service_ask_the_next_one() {
    let shared = Shared::started();
    let host = shared.hosts()[0];
    kill_process(host, Signal::STOP).unwrap();
    let words = ["seeded", "1", "pass", RIGHT];
    let mut all: Vec<_> = (0..10).map(|_| begin(&borrower(&shared.checkout, &words, &[]))).collect();
    let psql =
        ["scratch", "--exec", "psql", "--no-psqlrc", "--no-align", "--tuples-only", "--command", RIGHT];
    let scratch = cmd(xtask(), psql);
    all.push(begin(&surrounded(&shared.checkout, scratch, &[])));
    let socket = shared.socket().display().to_string();
    // The one that listens, and a connection of each.
    let connections =
        || fs::read_to_string("/proc/net/unix").unwrap().lines().filter(|it| it.ends_with(&socket)).count();
    wait_until("all of them wait", || connections() == 1 + all.len());
    kill_process(host, Signal::KILL).unwrap();
    for one in &all {
        assert!(printed_lines(one)[0].ends_with("9 3"));
    }
    let hosts = shared.hosts();
    assert!(hosts.len() == 1 && hosts[0] != host, "{hosts:?}");
}

#[test]
fn a_sweep_names_the_service_that_is_suspended() {
    let shared = Shared::started();
    kill_process(shared.hosts()[0], Signal::STOP).unwrap();
    let swept = shared.xtask(&["server", "sweep"]);
    swept.expect(1, &["does not answer\n"]);
    let advice = swept.advice("continue it: ");
    let host = shared.hosts()[0];
    cmd("sh", ["-c", &advice]).run().unwrap();
    // It finds the first request now, and may end before the second.
    shared.xtask(&["server", "sweep"]).expect(0, &["of killed commands removed"]);
    wait_until("the service is gone", || !lives(host));
}

#[test]
fn if_no_service_can_start_the_test_says_why() {
    let shared = Shared::new();
    shared.checkout.write("apps.toml", "[postgres]\nversion = 15\ndatabase = ");
    let output = shared.borrow(&["seeded", "1", "pass"]);
    output
        .expect(101, &["no database for this test", "`cargo xtask server start --test` said:", "apps.toml"]);
}

#[test]
fn a_test_starts_the_service_with_the_command_of_its_own_checkout() {
    let shared = Shared::new();
    let root = shared.checkout.root();
    let cargo = root.join("cargo");
    fs::write(&cargo, "#!/bin/sh\necho \"cargo $* in $(pwd) for $XTASK_ROOT\"\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let variables = [("XTASK_BIN", OsStr::new("")), ("CARGO", cargo.as_os_str())];
    let refused = outcome(&borrower(&shared.checkout, &["seeded", "1", "pass"], &variables));
    let root = root.display();
    refused.expect(101, &[&format!("cargo xtask server start --test in {root} for {root}")]);
    // Cargo may have to build that command first, so the test says so before.
    assert!(refused.stderr.starts_with("no test server runs yet; "), "{}", refused.stderr);
}

#[test]
fn a_long_tmpdir_leaves_room_for_the_socket() {
    let shared = Shared::new();
    let long = shared.checkout.root().join("x".repeat(100));
    fs::create_dir(&long).unwrap();
    let variables = [("TMPDIR", long.as_os_str())];
    let words = ["seeded", "1", "pass", RIGHT];
    for _ in 0..2 {
        assert_eq!(outcome_line(&outcome(&borrower(&shared.checkout, &words, &variables)))[1..], ["9", "3"]);
    }
    let sweep = cmd!(xtask(), "server", "sweep");
    outcome(&surrounded(&shared.checkout, sweep, &variables)).expect(0, &["1 unused test server ended"]);
}
