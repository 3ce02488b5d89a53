//! A cache that is damaged, incomplete or old, and one that can't be written.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    io::Read as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use duct::cmd;
use rustix::process::{Signal, kill_process};

use super::Cached;
use crate::{
    checkout::outcome,
    native_server::{lives, pid_of, processes, wait_until},
};

/// Damages the entry. Expects the next server to make it again, and the one after it to reuse it.
#[track_caller]
fn check_damaged(it: &Cached, what: &str, damage: impl FnOnce(&Path, Vec<u8>)) {
    let made = it.initdb_runs();
    let entry = it.entry();
    damage(&entry, fs::read(&entry).unwrap());
    it.expect_initdb_runs(made + 1);
    it.expect_initdb_runs(made + 1);
    assert_eq!(it.entry(), entry, "{what}");
}

/// Replaces a text by another of the same length.
fn replaced(mut content: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let at = content.windows(from.len()).position(|it| it == from.as_bytes()).unwrap();
    content[at..at + from.len()].copy_from_slice(to.as_bytes());
    content
}

#[test]
fn a_damaged_cache_is_made_again() {
    let it = Cached::new();
    it.expect_initdb_runs(1);
    check_damaged(&it, "gone", |entry, _| fs::remove_file(entry).unwrap());
    check_damaged(&it, "emptied", |entry, _| fs::write(entry, "").unwrap());
    check_damaged(&it, "cut off", |entry, whole| fs::write(entry, &whole[..whole.len() / 2]).unwrap());
    check_damaged(&it, "without its files", |entry, _| fs::write(entry, "folder \nend\n").unwrap());
    check_damaged(&it, "of another version", |entry, whole| {
        let at = whole.windows(14).position(|it| it == b"3 3 PG_VERSION").unwrap() + 15;
        fs::write(entry, [&whole[..at], b"12", &whole[at + 2..]].concat()).unwrap();
    });
    check_damaged(&it, "without one file", |entry, whole| {
        fs::write(entry, replaced(whole, " global/pg_control\n", " global/pg_contrdl\n")).unwrap();
    });
    check_damaged(&it, "open to others", |entry, _| {
        fs::set_permissions(entry, Permissions::from_mode(0o666)).unwrap();
    });
}

#[test]
fn a_command_that_is_killed_while_it_writes_the_cache_does_not_disturb_the_next() {
    let it = Cached::new();
    fs::create_dir_all(it.folder()).unwrap();
    // The command can write the entry only while the test reads it, and the test reads half of it.
    let draft = it.folder().join("draft");
    cmd!("mkfifo", &draft).run().unwrap();
    let command = it.command(&["verify"], &[]).stdout_capture().stderr_capture().start().unwrap();
    let mut half = vec![0; 10_000_000];
    let mut reader = File::open(&draft).unwrap();
    reader.read_exact(&mut half).unwrap();
    kill_process(pid_of(&command), Signal::KILL).unwrap();
    command.wait().unwrap();
    // What a half-written entry on a disk looks like.
    fs::remove_file(&draft).unwrap();
    fs::write(&draft, half).unwrap();
    fs::set_permissions(&draft, Permissions::from_mode(0o600)).unwrap();

    it.expect_initdb_runs(2);
    it.expect_initdb_runs(2);
    assert_ne!(it.entry(), draft);
}

#[test]
fn servers_start_without_a_cache_where_xtask_cannot_write_one() {
    let it = Cached::new();
    // No process can make a folder there, nor write to the file.
    let nowhere = [("XDG_CACHE_HOME", OsStr::new("/dev/full"))];
    for made in 1..=2 {
        it.start_in(&nowhere).end();
        assert_eq!(it.initdb_runs(), made);
    }
    for made in 3..=4 {
        fs::create_dir_all(it.folder()).unwrap();
        symlink("/dev/full", it.folder().join("draft")).unwrap();
        it.expect_initdb_runs(made);
        assert_eq!(it.files(), [] as [PathBuf; 0]);
    }
    it.expect_initdb_runs(5);
    it.expect_initdb_runs(5);
}

#[test]
fn ctrl_c_while_the_password_is_set_leaves_nothing() {
    let it = Cached::new();
    it.expect_initdb_runs(1);
    let postgres = it.path("bin/postgres");
    let real = fs::read_link(&postgres).unwrap();
    fs::remove_file(&postgres).unwrap();
    let script =
        format!("#!/bin/sh\n[ \"$1\" != --single ] || sleep 0.5\nexec '{}' \"$@\"\n", real.display());
    it.executable("bin/postgres", &script);

    let command = it.command(&["verify"], &[]).stdout_capture().stderr_capture().start().unwrap();
    let parent = pid_of(&command).as_raw_nonzero().get();
    let session = || {
        processes().into_iter().find(|it| it.parent == parent && it.words.iter().any(|it| it == "--single"))
    };
    wait_until("a session that is the whole server", || session().is_some());
    let session = session().unwrap();
    kill_process(pid_of(&command), Signal::INT).unwrap();
    assert_eq!(command.wait().unwrap().status.code(), Some(130));
    assert!(!lives(session.pid));
    let data = session.words.iter().skip_while(|it| *it != "-D").nth(1).unwrap();
    assert!(!Path::new(data).parent().unwrap().exists(), "{data}");
}

#[test]
fn entries_that_no_server_has_used_for_a_month_are_removed() {
    let it = Cached::new();
    it.expect_initdb_runs(1);
    let used_days_ago = |file: &Path, days: u64| {
        let time = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
        File::options().append(true).create(true).open(file).unwrap().set_modified(time).unwrap();
    };
    let (entry, old, older) = (it.entry(), it.folder().join("14.1-old"), it.folder().join("14.0-older"));
    used_days_ago(&old, 29);
    used_days_ago(&older, 31);
    // Its last use counts, not its age.
    used_days_ago(&entry, 31);
    it.expect_initdb_runs(1);
    it.start_in(&[("TZ", OsStr::new("Asia/Kathmandu"))]).end();
    let left = it.files();
    assert!(left.len() == 3 && left.contains(&entry) && left.contains(&old), "{left:?}");
}

#[test]
fn a_failing_initdb_is_reported_and_the_command_waits_for_no_server() {
    let it = Cached::new();
    it.executable("bin/initdb", "#!/bin/sh\necho it is broken\nexit 1\n");
    let output = outcome(&it.command(&["test"], &[]));
    output.expect(1, &["could not create", "it is broken", "df -h"]);
}
