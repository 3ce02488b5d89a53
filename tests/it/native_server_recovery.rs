//! Whatever happens to the development server or to the command at work on it, the next command ends well and the data is
//! there.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use duct::{Handle, cmd};
use rustix::process::{Pid, Signal, kill_process};

use crate::native_server::{NativeServer, lives, pid_of, wait_until};

#[test]
fn a_server_that_was_killed_is_started_again_with_its_data() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    it.write_data();
    let (url, killed) = (it.url(), it.postmaster());
    kill_process(killed, Signal::KILL).unwrap();
    wait_until("the server is dead", || !lives(killed));
    it.xtask(&["db-setup"]).expect(0, &["started", "9 tables, exactly as apps.toml says"]);
    assert_ne!(it.postmaster(), killed);
    assert_eq!(it.url(), url);
    it.expect_data();
}

#[test]
fn a_pid_file_that_names_another_process_fools_nobody_and_harms_nobody() {
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

/// A process that has nothing to do with any server, and ends with the test.
struct Stranger(Handle);

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// Kills `db-setup` with signal 9 as soon as its folder looks like that, and then runs it again.
#[track_caller]
fn check_killed(what: &str, has_come: impl Fn(&Path) -> bool) {
    let it = NativeServer::new();
    // It does not come to its end, however late the moment is noticed.
    it.checkout.migration("people/0002_slow", "select pg_sleep(600);", "select 1;");
    let running = it.begin(&["db-setup"]);
    wait_until(what, || it.found_folder().is_some_and(|folder| has_come(&folder)));
    kill_process(pid_of(&running), Signal::KILL).unwrap();
    running.wait().unwrap();
    it.checkout.remove("people/0002_slow.up.sql");
    it.checkout.remove("people/0002_slow.down.sql");
    it.xtask(&["db-setup"]).expect(0, &["9 tables, exactly as apps.toml says"]);
    it.postmaster();
    assert_eq!(drafts(&it.folder()), [""; 0], "killed when {what}");
    it.xtask(&["db-check"]).expect(0, &[]);
}

/// What is there of half-made data directories and their passwords.
fn drafts(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().flatten().map(|it| it.file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("data.new-")).collect()
}

/// Whether some half-made data directory has this in it.
fn draft_has(folder: &Path, path: &str) -> bool {
    drafts(folder).iter().any(|draft| folder.join(draft).join(path).exists())
}

#[test]
fn a_command_killed_in_mid_initdb_leaves_nothing_in_the_way() {
    check_killed("the state is written", |folder| folder.join("server.json").exists());
    check_killed("initdb has begun", |folder| draft_has(folder, "PG_VERSION"));
    check_killed("initdb is well under way", |folder| draft_has(folder, "base/1/PG_VERSION"));
}

#[test]
fn a_command_killed_in_mid_start_leaves_nothing_in_the_way() {
    check_killed("the data directory has its name", |folder| folder.join("data").exists());
    check_killed("the server has begun", |folder| folder.join("data/postmaster.pid").exists());
    check_killed("the server has said something", |folder| {
        fs::metadata(folder.join("server.log")).is_ok_and(|log| log.len() > 0)
    });
}

#[test]
fn a_state_file_that_is_rubbish_or_lost_is_healed() {
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
fn a_port_that_somebody_else_has_taken_is_given_up_and_that_is_said() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    let port: u16 = it.status()["port"].parse().unwrap();
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    let _taker = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    it.xtask(&["db-check"])
        .expect(0, &[&format!("port {port} was taken, so the server is on "), "its URL has changed"]);
    let now = it.status()["port"].clone();
    assert_ne!(now, port.to_string());
    assert!(it.url().contains(&format!(":{now}/")));
    // And it stays there.
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    it.xtask(&["server", "start"]).expect(0, &["started"]);
    assert_eq!(it.status()["port"], now);
}
