//! Commands reach a native server over its Unix socket, and other programs over TCP.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process,
};

use rustix::process::{Signal, kill_process};

use crate::native_server::{NativeServer, lives, wait_until};

const OVER_SOCKET: &str = "select inet_client_addr() is null";

/// Checks how psql connects, which gets the address that our own sessions use.
#[track_caller]
fn expect_socket(server: &NativeServer, more: &[(&str, &OsStr)], expected: &str) {
    let shown =
        server.xtask_in(&["db-shell", "--", "--tuples-only", "--no-align", "--command", OVER_SOCKET], more);
    assert_eq!(shown.expect(0, &[]).stdout.trim(), expected);
}

#[test]
fn commands_connect_over_a_unix_socket_that_only_the_owner_of_the_server_can_reach() {
    let server = NativeServer::new();
    server.xtask(&["db-setup"]).expect(0, &["127.0.0.1"]);
    expect_socket(&server, &[], "t");
    assert!(server.url().contains("@127.0.0.1:"), "{}", server.url());
    // The same server, by the address that other programs use.
    let url = OsString::from(server.url());
    expect_socket(&server, &[("DATABASE_URL", &url)], "t");
    assert_eq!(fs::metadata(server.data()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_server_without_a_usable_socket_is_reached_over_tcp() {
    let server = NativeServer::new();
    server.xtask(&["server", "start"]).expect(0, &[]);
    let rules = "host all all 127.0.0.1/32 scram-sha-256\n";
    fs::write(server.data().join("pg_hba.conf"), rules).unwrap();
    server.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    server.xtask(&["db-setup"]).expect(0, &[]);
    expect_socket(&server, &[], "f");

    let server = NativeServer::new();
    let long = server.checkout.root().join("state").join("a".repeat(100));
    let state = [("XDG_STATE_HOME", long.as_os_str())];
    server.xtask_in(&["db-setup"], &state).expect(0, &[]);
    expect_socket(&server, &state, "f");
    server.xtask_in(&["server", "stop"], &state).expect(0, &["stopped"]);
}

#[test]
fn what_a_killed_server_leaves_of_its_socket_keeps_no_server_from_starting() {
    let server = NativeServer::new();
    server.xtask(&["db-setup"]).expect(0, &[]);
    let pid = server.postmaster();
    kill_process(pid, Signal::KILL).unwrap();
    wait_until("the server is gone", || !lives(pid));
    // As after a restart of the machine: another process has the server's pid.
    let lock = lock(&server.data());
    let text = fs::read_to_string(&lock).unwrap();
    let others = text.lines().skip(1).fold(process::id().to_string(), |text, line| format!("{text}\n{line}"));
    fs::write(&lock, others + "\n").unwrap();
    server.xtask(&["migrate"]).expect(0, &["server started"]);
    expect_socket(&server, &[], "t");
}

fn lock(data: &Path) -> std::path::PathBuf {
    let files = fs::read_dir(data).unwrap().map(|it| it.unwrap().path());
    files.into_iter().find(|path| path.to_string_lossy().ends_with(".lock")).unwrap()
}
