//! The life of a development server: created once, found again, and its data kept.

use std::{fs, path::Path};

use duct::cmd;

use crate::docker::Docker;

#[test]
fn db_setup_makes_a_container_and_keeps_it() {
    let it = Docker::new();
    it.xtask(&["--server", "docker", "db-setup"])
        .expect(0, &["Docker (chosen)", "created", "9 tables, 19 seeded rows, exactly as the files say"]);
    it.xtask(&["db-setup"]).expect(0, &["Docker (as before)", "kept", "0 pending", "0 changes"]);
    it.xtask(&["server", "status"]).expect(0, &["Docker (as before)", "running", "postgres:", "volume"]);
    it.xtask(&["db-check"]).expect(0, &["exactly as the files say"]);
    // Open on this machine only.
    let ports = it.docker(&["port", &it.container()]).unwrap();
    assert!(ports.starts_with("5432/tcp -> 127.0.0.1:") && ports.lines().count() == 1, "{ports}");
    assert_eq!(it.containers(), [format!("{} running", it.container())]);
}

#[test]
fn data_outlives_a_stop_a_pause_and_the_container_itself() {
    let it = Docker::new();
    it.xtask(&["--server", "docker", "db-setup"]).expect(0, &[]);
    it.sql("insert into branches (name, slug) values ('Acme', 'acme')");
    let name = it.container();
    let still_there = |what: &str| assert_eq!(it.sql("select count(*) from branches"), "1", "after {what}");
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    it.xtask(&["server", "status"]).expect(0, &["stopped", "start it: cargo xtask server start"]);
    still_there("a stop");
    it.docker(&["pause", &name]).unwrap();
    still_there("a pause");
    it.docker(&["rm", "--force", &name]).unwrap();
    still_there("its removal by hand");
    it.docker(&["kill", &name]).unwrap();
    still_there("a crash");
    it.xtask(&["db-check"]).expect(0, &[]);
}

#[test]
fn four_commands_at_once_make_one_container() {
    let it = Docker::new();
    let started: Vec<_> = (0..4)
        .map(|_| {
            it.command(&["--server", "docker", "db-setup"]).stdout_capture().stderr_capture().start().unwrap()
        })
        .collect();
    // Wait for all of them first: one that still runs would create what a failed test has removed.
    let outputs: Vec<_> = started.iter().map(|handle| handle.wait().unwrap()).collect();
    assert!(outputs.iter().all(|output| output.status.success()), "{outputs:?}");
    assert_eq!(it.containers().len(), 1);
    it.xtask(&["db-check"]).expect(0, &[]);
}

#[test]
fn db_shell_uses_the_psql_of_the_container_if_there_is_no_other() {
    let it = Docker::new();
    it.xtask(&["--server", "docker", "db-setup"]).expect(0, &[]);
    // Everything else that it needs, and no psql.
    let bin = it.checkout.root().join("bin");
    fs::create_dir(&bin).unwrap();
    for program in ["docker", "cargo", "rustc", "cc"] {
        let found = cmd!("sh", "-c", format!("command -v {program}")).read().unwrap();
        std::os::unix::fs::symlink(Path::new(&found), bin.join(program)).unwrap();
    }
    let shell = ["db-shell", "--tuples-only", "--no-align", "--command", "select count(*) from roles"];
    let shell = it.xtask_in(&shell, &[("PATH", bin.to_str().unwrap()), ("XTASK_PG_BIN", "/nowhere")]);
    assert_eq!(shell.expect(0, &[]).stdout, "3\n");
}
