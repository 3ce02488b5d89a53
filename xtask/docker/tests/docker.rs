//! The server in Docker, through `cargo xtask` as people use it, on a real engine. Without one these tests fail.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../../../tests/it/checkout.rs"]
mod checkout;

#[path = "docker/benchmark.rs"]
mod benchmark;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use duct::{Expression, cmd};

use crate::checkout::{Checkout, Outcome, outcome};

/// A checkout whose server is a container, which goes with it.
struct Docker {
    checkout: Checkout,
}

impl Docker {
    fn new() -> Docker {
        assert!(
            docker(&["version"]).is_some(),
            "no Docker engine answers, and this proves the server in Docker\n  start one: see CONTRIBUTING.md"
        );
        Docker { checkout: Checkout::new() }
    }

    fn command(&self, args: &[&str]) -> Expression {
        let host = std::env::var_os("DOCKER_HOST").unwrap_or_default();
        self.checkout.bare_command_in(args, &[("DOCKER_HOST", &host), ("XTASK_POSTGRES_IMAGE", "".as_ref())])
    }

    fn xtask(&self, args: &[&str]) -> Outcome {
        outcome(&self.command(args))
    }

    /// The containers of this checkout, whatever their state.
    fn containers(&self) -> Vec<String> {
        let label = format!("label=xtask.repository={}", self.repository());
        let names =
            docker(&["ps", "--all", "--filter", &label, "--format", "{{.Names}} {{.State}}"]).unwrap();
        names.lines().map(str::to_owned).collect()
    }

    /// What the containers of this checkout are found by: the name of its state folder.
    fn repository(&self) -> String {
        let folder = self.checkout.root().join("state/xtask");
        let mut entries = fs::read_dir(folder).unwrap();
        entries.next().unwrap().unwrap().file_name().into_string().unwrap()
    }

    fn sql(&self, sql: &str) -> String {
        let told =
            self.xtask(&["db-shell", "--", "--tuples-only", "--no-align", "--quiet", "--command", sql]);
        told.expect(0, &[]).stdout.trim().to_owned()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if !self.checkout.root().join("state/xtask").exists() {
            return;
        }
        for container in self.containers() {
            docker(&["rm", "--force", "--volumes", container.split(' ').next().unwrap()]);
        }
        let volume = format!("xtask-{}-pg", self.repository());
        for name in docker(&["volume", "ls", "--quiet"])
            .unwrap_or_default()
            .lines()
            .filter(|name| name.starts_with(&volume))
        {
            docker(&["volume", "rm", "--force", name]);
        }
    }
}

/// What a command of Docker's own client says; `None` where it fails.
fn docker(args: &[&str]) -> Option<String> {
    cmd("docker", args).stderr_null().read().ok()
}

/// The test servers that stand in containers, of whomever.
fn test_servers() -> usize {
    docker(&["ps", "--all", "--quiet", "--filter", "label=xtask.role=test"]).unwrap().lines().count()
}

fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn db_setup_makes_a_container_and_keeps_it() {
    let it = Docker::new();
    it.xtask(&["--server", "docker", "db-setup"])
        .expect(0, &["Docker (chosen)", "created", "22 tables, exactly as apps.toml says"]);
    it.xtask(&["db-setup"]).expect(0, &["Docker (as before)", "kept", "0 pending", "0 changes"]);
    it.xtask(&["server", "status"]).expect(0, &["Docker (as before)", "running", "postgres:", "volume"]);
    it.xtask(&["db-check"]).expect(0, &["exactly as the files say"]);
    // Open to this machine alone.
    let ports = docker(&[
        "ps",
        "--filter",
        &format!("label=xtask.repository={}", it.repository()),
        "--format",
        "{{.Ports}}",
    ]);
    assert!(ports.as_ref().unwrap().starts_with("127.0.0.1:"), "{ports:?}");
    assert_eq!(it.containers().len(), 1);
}

#[test]
fn data_outlives_a_stop_a_pause_and_the_container_itself() {
    let it = Docker::new();
    it.xtask(&["--server", "docker", "db-setup"]).expect(0, &[]);
    it.sql("insert into organizations (name, slug) values ('Acme', 'acme')");
    let name = it.containers()[0].split(' ').next().unwrap().to_owned();
    let still_there =
        |what: &str| assert_eq!(it.sql("select count(*) from organizations"), "1", "after {what}");
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    it.xtask(&["server", "status"]).expect(0, &["stopped", "start it: cargo xtask server start"]);
    still_there("a stop");
    docker(&["pause", &name]).unwrap();
    still_there("a pause");
    docker(&["rm", "--force", &name]).unwrap();
    still_there("its removal by hand");
    docker(&["kill", &name]).unwrap();
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
    for handle in started {
        let output = handle.wait().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(it.containers().len(), 1);
    it.xtask(&["db-check"]).expect(0, &[]);
}

#[test]
fn the_kind_of_server_is_remembered_and_moves_only_when_told() {
    let it = Docker::new();
    it.xtask(&["--server", "native", "db-setup"]).expect(0, &["native (chosen)"]);
    // A daemon answers, and still it does not move.
    it.xtask(&["db-check"]).expect(0, &[]);
    it.xtask(&["server", "status"]).expect(0, &["native (as before)"]);
    it.xtask(&["--server", "docker", "db-setup"])
        .expect(0, &["was on the native server and is now on the Docker one", "--server native goes back"]);
    it.xtask(&["server", "status"]).expect(0, &["Docker (as before)"]);
    it.xtask(&["--server", "native", "server", "stop"]).expect(0, &["stopped"]);
}

#[test]
fn auto_takes_docker_where_a_daemon_answers_and_nothing_was_decided() {
    let it = Docker::new();
    it.xtask(&["db-setup"]).expect(0, &["Docker (its daemon answers)", "22 tables"]);
}

#[test]
fn auto_takes_the_other_kind_where_the_image_cannot_be_had() {
    let it = Docker::new();
    let image =
        [("DOCKER_HOST", "".as_ref()), ("XTASK_POSTGRES_IMAGE", "nowhere.invalid/postgres:15".as_ref())];
    let told = outcome(&it.checkout.bare_command_in(&["db-setup"], &image));
    told.expect(0, &["native (no Docker: ", "22 tables"]);
    let told = outcome(&it.checkout.bare_command_in(&["--server", "docker", "db-setup"], &image));
    told.expect(1, &["nowhere.invalid/postgres:15", "--server native", "XTASK_POSTGRES_IMAGE"]);
    assert_eq!(it.containers(), Vec::<String>::new());
    it.xtask(&["--server", "native", "server", "stop"]).expect(0, &[]);
}

#[test]
fn a_daemon_that_cannot_be_reached_is_told_with_its_cause_and_the_ways_out() {
    let it = Docker::new();
    let stale = it.checkout.root().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    let stale = format!("unix://{}", stale.display());
    for (host, said) in [
        ("unix:///nowhere/docker.sock", "/nowhere/docker.sock"),
        (stale.as_str(), "stale.sock"),
        ("tcp://127.0.0.1:1", "127.0.0.1:1"),
        ("ssh://host", "ssh://"),
        ("nonsense", "nonsense"),
    ] {
        let told = outcome(
            &it.checkout
                .bare_command_in(&["--server", "docker", "db-setup"], &[("DOCKER_HOST", host.as_ref())]),
        );
        told.expect(1, &[said, "--server native"]);
    }
}

#[test]
fn proofs_on_docker_leave_no_container() {
    let it = Docker::new();
    it.xtask(&["--server", "docker", "verify"]).expect(0, &["Docker, in memory", "all of it holds"]);
    it.checkout.migration("users/0002_bad", "selec 1;", "select 1;");
    it.xtask(&["--server", "docker", "verify"]).expect(1, &["migration users/0002_bad failed"]);
    wait_until("a test server is left", || test_servers() == 0);
}

#[test]
fn an_interrupted_or_killed_proof_leaves_no_container() {
    let it = Docker::new();
    it.checkout.migration("users/0002_slow", "select pg_sleep(600);", "select 1;");
    for signal in ["-INT", "-TERM", "-KILL"] {
        let running =
            it.command(&["--server", "docker", "verify"]).stdout_capture().stderr_capture().start().unwrap();
        wait_until("no test server started", || test_servers() > 0);
        for pid in running.pids() {
            cmd!("kill", signal, pid.to_string()).run().unwrap();
        }
        running.wait().unwrap();
        wait_until("a test server is left", || test_servers() == 0);
    }
    it.xtask(&["server", "sweep"]).expect(0, &["test servers of killed commands removed"]);
}

#[test]
fn db_shell_needs_no_psql_where_the_container_has_one() {
    let it = Docker::new();
    it.xtask(&["--server", "docker", "db-setup"]).expect(0, &[]);
    // All that it needs besides, and no psql.
    let bin = it.checkout.root().join("bin");
    fs::create_dir(&bin).unwrap();
    for program in ["docker", "cargo", "rustc", "cc"] {
        let found = cmd!("sh", "-c", format!("command -v {program}")).read().unwrap();
        std::os::unix::fs::symlink(Path::new(&found), bin.join(program)).unwrap();
    }
    let host = std::env::var_os("DOCKER_HOST").unwrap_or_default();
    let shell = ["db-shell", "--", "--tuples-only", "--no-align", "--command", "select count(*) from roles"];
    let around =
        [("DOCKER_HOST", host.as_os_str()), ("PATH", bin.as_os_str()), ("XTASK_PG_BIN", "/nowhere".as_ref())];
    let told = outcome(&it.checkout.bare_command_in(&shell, &around));
    assert_eq!(told.expect(0, &[]).stdout, "7\n");
}

#[test]
fn data_of_another_major_is_refused_and_not_touched() {
    let it = Docker::new();
    it.xtask(&["--server", "docker", "server", "start"]).expect(0, &["created"]);
    it.checkout.replace("apps.toml", "version = 15", "version = 15\nimage = \"postgres:15-alpine\"");
    it.xtask(&["server", "start"]).expect(0, &["kept"]);
    let name = it.containers()[0].split(' ').next().unwrap().to_owned();
    docker(&["exec", &name, "sh", "-c", "echo 14 > \"$PGDATA/PG_VERSION\""]).unwrap();
    docker(&["rm", "--force", &name]).unwrap();
    let told = it.xtask(&["server", "start"]);
    told.expect(1, &["14"]);
}
