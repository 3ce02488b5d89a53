//! Whatever happens to the development server or to a command that works on it, the next command succeeds and the data is
//! intact.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use duct::{Handle, cmd};
use rustix::process::{Pid, Signal, kill_process};

use crate::native_server::{NativeServer, lives, pid_of, wait_until};

#[test]
fn the_next_command_restarts_a_killed_server_with_its_data() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    it.write_data();
    let (url, killed) = (it.url(), it.postmaster());
    kill_process(killed, Signal::KILL).unwrap();
    wait_until("the server is dead", || !lives(killed));
    it.xtask(&["db-setup"]).expect(0, &["started", "9 tables, 19 seeded rows, exactly as the files say"]);
    assert_ne!(it.postmaster(), killed);
    assert_eq!(it.url(), url);
    it.expect_data();
}

#[test]
fn commands_ignore_a_pid_file_that_names_a_foreign_process() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    it.write_data();
    let stranger = Stranger(cmd!("sleep", "600").unchecked().start().unwrap());
    let (data, server) = (it.data(), it.postmaster());
    let file = data.join("postmaster.pid");
    let text = fs::read_to_string(&file).unwrap();
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    let pid = |pid: Pid| pid.as_raw_nonzero().to_string();
    let stale = text.replacen(&pid(server), &pid(pid_of(&stranger.0)), 1);
    fs::write(&file, &stale).unwrap();
    it.xtask(&["server", "status"]).expect(0, &["stopped"]);
    it.xtask(&["server", "stop"]).expect(0, &["not running"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), stale);
    it.xtask(&["server", "start"]).expect(0, &["started"]);
    it.expect_data();
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    assert!(stranger.0.try_wait().unwrap().is_none());
}

/// A process unrelated to any server, which ends with the test.
struct Stranger(Handle);

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// Kills `db-setup` with signal 9 as soon as its folder meets a condition, and then runs it again.
#[track_caller]
fn check_killed(what: &str, holds: impl Fn(&Path) -> bool) {
    let it = NativeServer::new();
    // This keeps `db-setup` running, however late the test notices the condition.
    it.checkout.migration("people/0002_slow", "select pg_sleep(600);", "select 1;");
    let running = it.begin(&["db-setup"]);
    wait_until(what, || it.found_folder().is_some_and(|folder| holds(&folder)));
    kill_process(pid_of(&running), Signal::KILL).unwrap();
    running.wait().unwrap();
    it.checkout.remove("people/0002_slow.up.sql");
    it.checkout.remove("people/0002_slow.down.sql");
    it.xtask(&["db-setup"]).expect(0, &["9 tables, 19 seeded rows, exactly as the files say"]);
    it.postmaster();
    assert_eq!(drafts(&it.folder()), [""; 0], "killed when {what}");
    it.xtask(&["db-check"]).expect(0, &[]);
}

/// Unfinished data directories and their password files.
fn drafts(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().flatten().map(|it| it.file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("data.new-")).collect()
}

/// Whether an unfinished data directory contains this path.
fn draft_has(folder: &Path, path: &str) -> bool {
    drafts(folder).iter().any(|draft| folder.join(draft).join(path).exists())
}

#[test]
fn a_command_killed_during_initdb_does_not_hinder_the_next() {
    check_killed("the state is written", |folder| folder.join("server.json").exists());
    check_killed("initdb has begun", |folder| draft_has(folder, "PG_VERSION"));
    check_killed("initdb is well under way", |folder| draft_has(folder, "base/1/PG_VERSION"));
}

#[test]
fn a_command_killed_during_the_start_does_not_hinder_the_next() {
    check_killed("the data directory has its name", |folder| folder.join("data").exists());
    check_killed("the server has begun", |folder| folder.join("data/postmaster.pid").exists());
    check_killed("the server has said something", |folder| {
        fs::metadata(folder.join("server.log")).is_ok_and(|log| log.len() > 0)
    });
}

#[test]
fn the_next_command_replaces_a_corrupt_or_lost_state_file() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    it.write_data();
    let file = it.folder().join("server.json");
    let spoil = || fs::write(&file, "rub\0bish").unwrap();
    let lose = || fs::remove_file(&file).unwrap();
    let ways: [(&dyn Fn(), &str); 2] = [(&spoil, "the state file was unreadable"), (&lose, "was lost")];
    for (way, said) in ways {
        for stop in [false, true] {
            if stop {
                it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
            }
            way();
            it.xtask(&["db-check"]).expect(0, &[said, "has a new password"]);
            it.postmaster();
            it.expect_data();
        }
    }
    assert_eq!(fs::read_to_string(it.folder().join("server.json.unreadable")).unwrap(), "rub\0bish");
}

#[test]
fn a_server_whose_port_is_taken_moves_to_another_and_says_so() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    let port: u16 = it.status()["port"].parse().unwrap();
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    let _taker = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    it.xtask(&["db-check"])
        .expect(0, &["the server is on port ", &format!(" instead of {port}, so its URL has changed")]);
    let now = it.status()["port"].clone();
    assert_ne!(now, port.to_string());
    assert!(it.url().contains(&format!(":{now}/")));
    // The server keeps the new port.
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    it.xtask(&["server", "start"]).expect(0, &["started"]);
    assert_eq!(it.status()["port"], now);
}
