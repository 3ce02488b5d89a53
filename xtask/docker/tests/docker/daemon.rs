//! A daemon that can't be reached: one line with the reason, and the ways out below it.

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
};

use crate::{
    checkout::outcome,
    docker::{Docker, package, package_program},
};

const START: &str = "sudo systemctl start docker";
const UNSET: &str = " use this machine's daemon: unset DOCKER_HOST";

/// Asserts that a development server and a test server are refused with exactly these words, and nothing is left.
#[track_caller]
fn refused(it: &Docker, host: &str, why: &str, remedy: &str) {
    let said = format!("error: {why}\n  do without Docker: --server native\n  or{remedy}\n");
    for verb in ["db-setup", "verify"] {
        let printed = it.xtask_in(&["--server", "docker", verb], &[("DOCKER_HOST", host)]);
        printed.expect(1, &[]);
        assert_eq!(printed.stderr, said, "{verb}");
    }
    it.expect_nothing();
}

#[test]
fn a_missing_socket_is_reported() {
    let why = "no Docker daemon: there is no socket /nowhere/docker.sock, which DOCKER_HOST names";
    refused(&Docker::new(), "unix:///nowhere/docker.sock", why, &format!(": {START}"));
}

#[test]
fn the_socket_of_a_dead_daemon_is_reported() {
    let it = Docker::new();
    let path = it.checkout.root().join("stale.sock");
    drop(UnixListener::bind(&path).unwrap());
    let path = path.display();
    let why = format!("no Docker daemon: nothing listens on {path}, which DOCKER_HOST names");
    refused(&it, &format!("unix://{path}"), &why, &format!(": {START}"));
}

#[test]
fn a_port_without_a_listener_is_reported() {
    // One that was free just now.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let why = format!("no Docker daemon: nothing listens on 127.0.0.1:{port}, which DOCKER_HOST names");
    refused(&Docker::new(), &format!("tcp://127.0.0.1:{port}"), &why, &format!(": {START}"));
}

#[test]
fn an_unusable_address_is_reported() {
    for (host, why) in [
        ("nonsense", "which is not an address: it has no scheme, such as unix:// or tcp://"),
        ("unix://docker.sock", "but a socket needs its whole path, as in unix:///var/run/docker.sock"),
        ("tcp://127.0.0.1", "which has no port, as in tcp://127.0.0.1:2375"),
        ("ssh://host", "but ssh:// is not supported here"),
        ("carrier://pigeon", "with the unknown scheme carrier://"),
    ] {
        refused(&Docker::new(), host, &format!("DOCKER_HOST is \"{host}\", {why}"), UNSET);
    }
}

#[test]
fn a_daemon_that_never_answers_is_reported_after_a_while() {
    let it = Docker::new();
    let path = it.checkout.root().join("silent.sock");
    let _silent = UnixListener::bind(&path).unwrap();
    let host = format!("unix://{}", path.display());
    let why = format!("the Docker daemon at {host} accepts connections and does not answer");
    refused(&it, &host, &why, " see its state: docker info");
}

/// The `docker` program may well be installed: it does nothing without a daemon.
#[test]
fn an_empty_address_counts_as_unset() {
    // With an empty folder of sockets.
    let starter = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /var/run/ && exec \"$@\"", "sh"];
    let starter: Vec<_> = starter.iter().map(AsRef::as_ref).collect();
    for host in ["", " "] {
        let it = Docker::new();
        let around = [
            ("DOCKER_HOST", host.as_ref()),
            ("XDG_RUNTIME_DIR", "".as_ref()),
            ("DOCKER_CONFIG", "/nowhere".as_ref()),
        ];
        let run = |args: &[&str]| outcome(&it.checkout.bare_command_by(&starter, args, &around));
        let printed = run(&["--server", "docker", "db-setup"]);
        printed.expect(1, &[]);
        let why = "no Docker daemon: there is no socket /var/run/docker.sock";
        let said = format!("error: {why}\n  do without Docker: --server native\n  or: {START}\n");
        assert_eq!(printed.stderr, said, "{host:?}");
        it.expect_nothing();
        run(&["server", "start"]).expect(0, &["native (no Docker daemon)"]);
        run(&["server", "stop"]).expect(0, &["stopped"]);
    }
}

/// By the program itself, because the account `nobody` can't run cargo.
#[test]
fn a_socket_that_this_user_may_not_open_is_reported() {
    let it = Docker::new();
    let folder = it.checkout.root();
    fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    let program = folder.join("xtask-docker");
    fs::copy(package_program(), &program).unwrap();
    let path = folder.join("root.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    UnixStream::connect(&path).unwrap();

    let unprivileged = ["setpriv", "--reuid", "nobody", "--regid=nogroup", "--clear-groups"];
    for verb in ["dev", "test", "status", "stop", "sweep"] {
        let command = package(&unprivileged, program.as_os_str(), verb);
        let printed = outcome(&command.env("DOCKER_HOST", format!("unix://{}", path.display())).stdin_null());
        printed.expect(1, &[]);
        let message = format!(
            "this user may not use the Docker daemon's socket {}, which DOCKER_HOST names\n  \
             do without Docker: --server native\n  \
             or: sudo usermod --append --groups docker \"$USER\", and log in again",
            path.display()
        );
        let answer = serde_json::json!({ "error": { "kind": "permission", "message": message } });
        assert_eq!(printed.stdout, format!("{answer}\n"), "{verb}: {}", printed.stderr);
    }
}
