//! A cache that is damaged, half made, old, or can't be there.

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

/// Spoils the entry, and sees that it is made once more, and then used again.
#[track_caller]
fn check_damaged(it: &Cached, what: &str, spoil: impl FnOnce(&Path, Vec<u8>)) {
    let made = it.made();
    let entry = it.entry();
    spoil(&entry, fs::read(&entry).unwrap());
    it.expect_made(made + 1);
    it.expect_made(made + 1);
    assert_eq!(it.entry(), entry, "{what}");
}

/// Another text of the same length.
fn replaced(mut content: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let at = content.windows(from.len()).position(|it| it == from.as_bytes()).unwrap();
    content[at..at + from.len()].copy_from_slice(to.as_bytes());
    content
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let it = Cached::new();
    it.expect_made(1);
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
fn a_maker_who_is_killed_leaves_nothing_in_the_way() {
    let it = Cached::new();
    fs::create_dir_all(it.folder()).unwrap();
    // Writing the entry waits for a reader, who comes and takes half of it.
    let draft = it.folder().join("draft");
    cmd!("mkfifo", &draft).run().unwrap();
    let command = it.command(&["verify"], &[]).stdout_capture().stderr_capture().start().unwrap();
    let mut half = vec![0; 10_000_000];
    let mut reader = File::open(&draft).unwrap();
    reader.read_exact(&mut half).unwrap();
    kill_process(pid_of(&command), Signal::KILL).unwrap();
    command.wait().unwrap();
    // As it is where it is written to a disk.
    fs::remove_file(&draft).unwrap();
    fs::write(&draft, half).unwrap();
    fs::set_permissions(&draft, Permissions::from_mode(0o600)).unwrap();

    it.expect_made(2);
    it.expect_made(2);
    assert_ne!(it.entry(), draft);
}

#[test]
fn where_nothing_can_be_kept_servers_start_without() {
    let it = Cached::new();
    // No folder can be made there, and no file be written to.
    let nowhere = [("XDG_CACHE_HOME", OsStr::new("/dev/full"))];
    for made in 1..=2 {
        it.start_in(&nowhere).end();
        assert_eq!(it.made(), made);
    }
    for made in 3..=4 {
        fs::create_dir_all(it.folder()).unwrap();
        symlink("/dev/full", it.folder().join("draft")).unwrap();
        it.expect_made(made);
        assert_eq!(it.files(), [] as [PathBuf; 0]);
    }
    it.expect_made(5);
    it.expect_made(5);
}

#[test]
fn ctrl_c_while_the_password_is_set_leaves_nothing() {
    let it = Cached::new();
    it.expect_made(1);
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
fn entries_go_that_nobody_has_used_for_a_month() {
    let it = Cached::new();
    it.expect_made(1);
    let used_days_ago = |file: &Path, days: u64| {
        let time = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
        File::options().append(true).create(true).open(file).unwrap().set_modified(time).unwrap();
    };
    let (entry, old, older) = (it.entry(), it.folder().join("14.1-old"), it.folder().join("14.0-older"));
    used_days_ago(&old, 29);
    used_days_ago(&older, 31);
    // Its use counts, not when it was made.
    used_days_ago(&entry, 31);
    it.expect_made(1);
    it.start_in(&[("TZ", OsStr::new("Asia/Kathmandu"))]).end();
    let left = it.files();
    assert!(left.len() == 3 && left.contains(&entry) && left.contains(&old), "{left:?}");
}

#[test]
fn a_server_that_cannot_be_made_is_told_and_nobody_waits_for_it() {
    let it = Cached::new();
    it.executable("bin/initdb", "#!/bin/sh\necho it is broken\nexit 1\n");
    let told = outcome(&it.command(&["test"], &[]));
    told.expect(1, &["could not create", "it is broken", "df -h"]);
}
