//! The server from downloaded programs, through `cargo xtask` as people use it. The repository is a stand-in; its archives
//! are real.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

mod archive;
#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../../../../tests/it/checkout.rs"]
mod checkout;
mod fixture;
mod maven;
mod refusals;

use std::fs;

use duct::cmd;

use crate::{
    checkout::{built, outcome},
    fixture::{Downloaded, wait_until},
    maven::Mood,
};

#[test]
fn a_server_from_downloaded_programs_does_everything_that_others_do() {
    let it = Downloaded::new();
    it.xtask(&["--server", "download", "db-setup"]).expect(
        0,
        &[
            "downloading PostgreSQL",
            "downloaded (chosen)",
            "created",
            "9 tables, 19 seeded rows, exactly as the files say",
        ],
    );
    it.xtask(&["db-setup"]).expect(0, &["downloaded (as before)", "kept", "0 pending", "0 changes"]);
    it.xtask(&["db-check"]).expect(0, &["exactly as the files say"]);
    it.xtask(&["server", "status"]).expect(0, &["downloaded (as before)", "running", "/download/data"]);
    it.xtask(&["server", "stop"]).expect(0, &["downloaded, pid ", "stopped"]);
    it.xtask(&["server", "status"]).expect(0, &["stopped", "start it: cargo xtask server start"]);
    it.xtask(&["server", "start"]).expect(0, &["downloaded (as before)", "started"]);
    it.xtask(&["verify"]).expect(0, &["downloaded, in memory", "all of it holds"]);
    it.xtask(&["server", "url"]).expect(0, &["postgres://"]);
    it.xtask(&["db-reset", "--confirm", "app"]).expect(0, &["9 tables"]);
    assert_eq!(it.maven.downloads(), 1);
}

#[test]
fn downloaded_programs_need_neither_a_network_nor_the_package() {
    let it = Downloaded::new();
    it.xtask(&["--server", "download", "server", "start"]).expect(0, &["created"]);
    it.maven.set(Mood::Gone);
    it.xtask(&["server", "stop"]).expect(0, &[]);
    it.checkout.replace("apps.toml", "database = \"app\"", "database = \"other\"");
    fs::remove_dir_all(it.checkout.root().join("state")).unwrap();
    let no_cargo = [("CARGO", "/nowhere".as_ref())];
    let done = outcome(&it.command_in(&["--server", "download", "db-setup"], &no_cargo));
    done.expect(0, &["downloaded (chosen)", "created", "9 tables"]);
    let done = outcome(&it.command_in(&["verify"], &no_cargo));
    done.expect(0, &["downloaded, in memory"]);
}

#[test]
fn auto_downloads_on_a_machine_without_programs_and_docker() {
    let it = Downloaded::new();
    let nothing_here = format!("no PostgreSQL {} or newer on this machine)", it.major);
    it.without_programs(&["db-setup"])
        .expect(0, &["downloaded (no Docker daemon", &nothing_here, "created", "9 tables"]);
    it.without_programs(&["db-check"]).expect(0, &["exactly as the files say"]);
    it.without_programs(&["server", "status"]).expect(0, &["downloaded (as before)", "running"]);
    it.without_programs(&["server", "stop"]).expect(0, &["stopped"]);
    it.without_programs(&["verify"]).expect(0, &["downloaded, in memory", "all of it holds"]);
    // Programs that are installed later do not move the database.
    it.xtask(&["server", "start"]).expect(0, &["downloaded (as before)", "started"]);
}

#[test]
fn a_proof_downloads_without_a_server_of_the_checkout() {
    let it = Downloaded::new();
    it.without_programs(&["verify"]).expect(0, &["downloaded, in memory", "all of it holds"]);
}

#[test]
fn two_at_once_download_once() {
    let it = Downloaded::new();
    let other = Downloaded::beside(&it);
    // Built beforehand, so that both start at once.
    built("xtask-download");
    let started: Vec<_> = [&it, &other]
        .map(|it| it.command(&["--server", "download", "server", "start"]))
        .map(|command| command.stdout_capture().stderr_capture().start().unwrap())
        .into();
    for handle in started {
        let output = handle.wait().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(it.maven.downloads(), 1);
    assert_eq!(it.cache_entries().len(), 1);
}

#[test]
fn a_killed_download_leaves_nothing_to_the_next() {
    let it = Downloaded::new();
    it.maven.set(Mood::Stalls);
    let command = it.command(&["--server", "download", "db-setup"]);
    let running = command.stdout_capture().stderr_capture().start().unwrap();
    wait_until("no download began", || it.maven.downloads() == 1);
    let xtask = running.pids()[0].to_string();
    // Cargo has replaced itself by the program that it built.
    cmd!("pkill", "-KILL", "--parent", xtask).run().unwrap();
    let output = running.wait().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(it.cache_entries()[0].starts_with("draft-"), "{:?}", it.cache_entries());
    it.maven.set(Mood::Well);
    it.xtask(&["--server", "download", "db-setup"]).expect(0, &["created", "9 tables"]);
    assert!(
        it.cache_entries().len() == 1 && it.cache_entries()[0].contains(".0-"),
        "{:?}",
        it.cache_entries()
    );
}

#[test]
fn roots_server_runs_from_them_if_user_namespaces_are_refused() {
    let it = Downloaded::new();
    it.xtask(&["--server", "download", "verify"]).expect(0, &[]);
    // A PATH with everything that is needed but `unshare`.
    let bin = it.checkout.root().join("bin");
    fs::create_dir(&bin).unwrap();
    let id = cmd!("sh", "-c", "command -v id").read().unwrap();
    std::os::unix::fs::symlink(id, bin.join("id")).unwrap();
    let path = [("PATH", bin.as_os_str())];
    let done = outcome(&it.command_in(&["--server", "download", "db-setup"], &path));
    done.expect(0, &["downloaded (chosen)", "created", "9 tables"]);
    if rustix::process::geteuid().is_root() {
        assert!(it.homes_of_nobody().iter().any(|home| home.join("data").exists()));
    }
    outcome(&it.command_in(&["verify"], &path)).expect(0, &["downloaded, in memory"]);
}

#[test]
fn damaged_programs_are_downloaded_again() {
    let it = Downloaded::new();
    it.xtask(&["--server", "download", "server", "start"]).expect(0, &["created"]);
    it.xtask(&["server", "stop"]).expect(0, &[]);
    let postgres = it.cache().join(&it.cache_entries()[0]).join("bin/postgres");
    // A running program can't be overwritten, and a process of the server may take a moment to end.
    fs::remove_file(&postgres).unwrap();
    fs::write(&postgres, "").unwrap();
    it.xtask(&["server", "start"]).expect(0, &["downloading", "started"]);
    assert_eq!(it.maven.downloads(), 2);
    assert_eq!(it.cache_entries().len(), 1);
}

#[test]
fn moving_between_native_and_download_says_so_and_keeps_both() {
    let it = Downloaded::new();
    let branches = |server: &str, sql: &str| {
        let args = ["--server", server, "db-shell", "--tuples-only", "--no-align", "--command", sql];
        it.xtask(&args).expect(0, &[]).stdout.clone()
    };
    let (add, count) =
        ("insert into branches (name, slug) values ('Acme', 'acme')", "select count(*) from branches");
    it.xtask(&["--server", "native", "db-setup"]).expect(0, &["native (chosen)"]);
    branches("native", add);
    it.xtask(&["--server", "download", "db-setup"]).expect(
        0,
        &["was on the native server and is now on the downloaded one", "--server native goes back"],
    );
    assert_eq!(branches("download", count), "0\n");
    it.xtask(&["server", "status"]).expect(0, &["downloaded (as before)"]);
    it.xtask(&["--server", "native", "db-setup"]).expect(
        0,
        &["was on the downloaded server and is now on the native one", "--server download goes back", "kept"],
    );
    assert_eq!(branches("native", count), "1\n");
}

#[test]
fn the_url_of_our_own_server_starts_it_again() {
    let it = Downloaded::new();
    it.xtask(&["--server", "download", "db-setup"]).expect(0, &[]);
    let url = it.xtask(&["db-url"]).expect(0, &[]).stdout.trim().to_owned();
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    fs::write(it.checkout.root().join(".env"), format!("DATABASE_URL={url}\n")).unwrap();
    it.xtask(&["server", "start"]).expect(0, &["downloaded (DATABASE_URL is its own)", "started"]);
}
