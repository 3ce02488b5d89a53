//! If the development server can't start, the error shows the cause and the alternatives, and nothing changes. The user
//! chooses the server.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use duct::cmd;

use crate::{
    checkout::{Outcome, outcome},
    native_server::NativeServer,
};

/// The address of no server: nothing listens on this port.
const NOWHERE: &str = "postgres://app:s3cret@127.0.0.1:1/nowhere";

/// Every file below a folder, with its size and the time of its last change.
fn files(folder: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let it = entry.metadata().unwrap();
        if it.is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push((entry.path(), it.len(), it.modified().unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn data_of_another_major_version_is_not_touched() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    it.write_data();
    let version = it.status()["version"].clone();
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    let state: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(it.folder().join("server.json")).unwrap()).unwrap();
    // The machine may have the version that this test expects to be missing.
    let bin = OsStr::new(state["binaries"]["bin"].as_str().unwrap());
    let file = it.data().join("PG_VERSION");
    let own = fs::read_to_string(&file).unwrap();
    let newer = own.trim().parse::<u32>().unwrap() + 1;
    for (other, said) in [
        (
            14,
            [
                "is from PostgreSQL 14, and this checkout needs 15 or newer; nothing was touched".to_owned(),
                "rm -r ".to_owned(),
            ],
        ),
        (
            newer,
            [
                format!("only PostgreSQL {newer} can open the data in "),
                format!("of another version: {version} in"),
            ],
        ),
    ] {
        fs::write(&file, format!("{other}\n")).unwrap();
        let before = files(&it.folder());
        for verb in ["db-setup", "db-check", "db-url"] {
            it.xtask_in(&[verb], &[("XTASK_PG_BIN", bin)]).expect(1, &said.each_ref().map(String::as_str));
        }
        // The command takes the lock before it looks at anything.
        let after = files(&it.folder());
        let but_lock = |files: Vec<(PathBuf, u64, SystemTime)>| -> Vec<_> {
            files.into_iter().filter(|(path, ..)| !path.ends_with("lock")).collect()
        };
        assert_eq!(but_lock(before), but_lock(after));
        assert_eq!(it.postmasters(), []);
    }
    fs::write(&file, own).unwrap();
    it.expect_data();
}

#[test]
fn a_missing_version_is_reported_with_the_installed_ones_and_the_way_to_install_it() {
    // The suite may run with the binaries of one folder; this variable lets commands see all the others.
    let everywhere = [("XTASK_PG_BIN", "".as_ref())];
    let it = NativeServer::new();
    it.xtask_in(&["server", "start"], &everywhere).expect(0, &[]);
    let version = it.status()["version"].clone();
    let other = NativeServer::new();
    other.checkout.replace("apps.toml", "version = 15", "version = 99");
    let printed = other.xtask_in(&["db-setup"], &everywhere);
    printed.expect(
        1,
        &[
            "PostgreSQL 99 or newer is not installed",
            &format!("found, but too old: {version} in /"),
            "searched the folders of PATH, and: /usr/lib/postgresql/*/bin",
            "install it: ",
            "export XTASK_PG_BIN=/path/to/bin",
            "export DATABASE_URL=postgres://",
        ],
    );
    assert_eq!(other.postmasters(), []);
}

#[test]
fn a_machine_without_postgres_gets_an_error_with_the_alternatives() {
    let it = NativeServer::new();
    let empty = it.checkout.root().join("empty");
    fs::create_dir(&empty).unwrap();
    let printed =
        it.xtask_in(&["db-setup"], &[("PATH", OsStr::new("")), ("XTASK_PG_BIN", empty.as_os_str())]);
    printed.expect(
        1,
        &[
            &format!("XTASK_PG_BIN={} holds no postgres and initdb that run here", empty.display()),
            "unset XTASK_PG_BIN",
            "export DATABASE_URL=postgres://",
        ],
    );
    assert!(
        !it.checkout.root().join("state").exists()
            || files(&it.folder()).iter().all(|it| it.0.ends_with("lock"))
    );
}

#[test]
fn a_folder_that_cannot_be_created_is_reported_with_the_cause() {
    let it = NativeServer::new();
    let file = it.checkout.root().join("file");
    fs::write(&file, "").unwrap();
    for verb in ["db-setup", "db-check", "db-url"] {
        it.xtask_in(&[verb], &[("XDG_STATE_HOME", file.as_os_str())]).expect(
            1,
            &[
                &format!("cannot use {}/xtask/", file.display()),
                "Not a directory",
                "export XDG_STATE_HOME=/a/folder",
            ],
        );
    }
    it.xtask_in(&["server", "stop"], &[("XDG_STATE_HOME", file.as_os_str())]).expect(0, &["not running"]);
}

/// Runs `db-setup` with its state on a disk of that size, and then lists the disk, which ends with its namespace.
/// `None` if this machine lets us mount nothing.
fn on_small_disk(it: &NativeServer, kilobytes: usize) -> Option<Outcome> {
    let state = it.checkout.root().join("state");
    fs::create_dir_all(&state).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={kilobytes}k tmpfs \"$0\" || exit 77\n\"$1\" db-setup; code=$?; find \"$0\"; exit $code"
    );
    let namespace: &[&str] =
        if rustix::process::geteuid().is_root() { &["--mount"] } else { &["--map-root-user", "--mount"] };
    let mut words: Vec<&OsStr> = namespace.iter().map(OsStr::new).collect();
    words.extend(["--", "sh", "-c", &script].map(OsStr::new));
    words.extend([state.as_os_str(), crate::checkout::xtask().as_os_str()]);
    let ran = cmd("unshare", words)
        .env("XTASK_ROOT", it.checkout.root())
        .env("XDG_STATE_HOME", &state)
        .env_remove("DATABASE_URL")
        .env("XTASK_SERVER", "native")
        .stdin_null()
        .unchecked();
    let printed = outcome(&ran);
    let refused = printed.code == 77 || printed.stderr.starts_with("unshare:");
    (!refused).then_some(printed)
}

#[test]
fn a_full_disk_is_reported_with_the_folder_and_no_unfinished_data_stays() {
    let it = NativeServer::new();
    // The first disk has room only for the lock; the second for the state too, but not for all of initdb's files.
    for (kilobytes, said) in [(4, "cannot write"), (20_000, "could not create")] {
        let Some(printed) = on_small_disk(&it, kilobytes) else {
            // An unwritable folder is the closest substitute.
            let full = [("XDG_STATE_HOME", OsStr::new("/dev/full"))];
            it.xtask_in(&["db-setup"], &full).expect(1, &["cannot use /dev/full/xtask/"]);
            continue;
        };
        let folder = it.checkout.root().join("state/xtask").display().to_string();
        printed.expect(1, &[said, "space", &format!("df -h {folder}/")]);
        assert!(
            !printed.stdout.contains("data.new-") && !printed.stdout.contains("/data\n"),
            "{}",
            printed.stdout
        );
    }
    it.xtask(&["db-setup"]).expect(0, &["9 tables, 19 seeded rows, exactly as the files say"]);
}

#[track_caller]
fn check_choice(args: &[&str], environment: &[(&str, &str)], code: i32, said: &[&str]) {
    let it = NativeServer::new();
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, OsStr::new(value))).collect();
    it.xtask_in(args, &environment).expect(code, said);
}

#[test]
fn the_users_choice_of_native_overrides_database_url() {
    let url = ("DATABASE_URL", NOWHERE);
    let native = &["native", "not made yet"];
    check_choice(&["server", "status"], &[url], 0, &["DATABASE_URL (environment)", "unreachable"]);
    check_choice(&["--server", "native", "server", "status"], &[url], 0, native);
    check_choice(&["server", "status", "--server", "native"], &[url], 0, native);
    check_choice(&["server", "status"], &[url, ("XTASK_SERVER", "native")], 0, native);
    check_choice(
        &["db-setup", "--server", "native"],
        &[url],
        0,
        &["native", "created", "9 tables, 19 seeded rows, exactly as the files say"],
    );
}

#[test]
fn choosing_url_without_database_url_is_an_error() {
    let missing = &["DATABASE_URL is not set", "export DATABASE_URL=", "--server native"];
    check_choice(&["db-setup"], &[("XTASK_SERVER", "url")], 1, missing);
    check_choice(&["db-setup", "--server", "url"], &[], 1, missing);
}

#[test]
fn the_server_option_overrides_the_variable() {
    let (url, native) = (("XTASK_SERVER", "url"), ("XTASK_SERVER", "native"));
    check_choice(&["--server", "native", "server", "status"], &[url], 0, &["not made yet"]);
    check_choice(&["server", "status", "--server", "native"], &[url], 0, &["not made yet"]);
    check_choice(&["--server", "url", "server", "status"], &[native], 1, &["DATABASE_URL is not set"]);
    check_choice(&["server", "status", "--server", "url"], &[native], 1, &["DATABASE_URL is not set"]);
}

#[test]
fn a_download_by_plain_http_from_another_machine_is_refused() {
    let it = NativeServer::new();
    let cache = it.checkout.root().join("cache");
    let more = [
        ("XTASK_DOWNLOAD_FROM", OsStr::new("http://maven.example.org/maven2")),
        ("XDG_CACHE_HOME", cache.as_os_str()),
    ];
    it.xtask_in(&["--server", "download", "db-setup"], &more)
        .expect(1, &["XTASK_DOWNLOAD_FROM is plain http to another machine", "https://host/path"]);
}
