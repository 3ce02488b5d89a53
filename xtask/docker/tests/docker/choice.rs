//! Which kind of server a checkout uses when both kinds are available.

use std::{fs, os::unix::fs::symlink};

use crate::docker::Docker;

#[test]
fn the_kind_of_server_is_remembered_until_another_is_chosen() {
    let it = Docker::new();
    it.xtask(&["--server", "native", "db-setup"]).expect(0, &["native (chosen)"]);
    // A daemon answers, but the database stays where it is.
    it.xtask(&["db-check"]).expect(0, &[]);
    it.xtask(&["server", "status"]).expect(0, &["native (as before)"]);
    it.xtask(&["--server", "docker", "db-setup"])
        .expect(0, &["was on the native server and is now on the Docker one", "--server native goes back"]);
    it.xtask(&["server", "status"]).expect(0, &["Docker (as before)"]);
    it.xtask(&["--server", "native", "server", "stop"]).expect(0, &["stopped"]);
}

#[test]
fn auto_uses_docker_if_a_daemon_answers_and_no_kind_is_remembered() {
    let it = Docker::new();
    it.xtask(&["db-setup"]).expect(0, &["Docker (its daemon answers)", "9 tables"]);
}

#[test]
fn auto_uses_the_native_server_if_the_image_is_unavailable() {
    let it = Docker::new();
    let image = [("XTASK_POSTGRES_IMAGE", "nowhere.invalid/postgres:15")];
    it.xtask_in(&["db-setup"], &image).expect(0, &["native (no Docker: ", "9 tables"]);
    assert_eq!(it.remembered().as_deref(), Some("native"));
    it.xtask(&["--server", "native", "server", "stop"]).expect(0, &[]);
}

#[test]
fn auto_and_docker_find_the_daemon_of_a_docker_context() {
    let (it, other) = (Docker::new(), Docker::new());
    let config = it.checkout.root().join("docker-config");
    let (meta, socket) = (config.join("contexts/meta/elsewhere"), config.join("elsewhere.sock"));
    fs::create_dir_all(&meta).unwrap();
    fs::write(config.join("config.json"), r#"{"currentContext": "elsewhere"}"#).unwrap();
    let host = format!("unix://{}", socket.display());
    let context = serde_json::json!({ "Name": "elsewhere", "Endpoints": { "docker": { "Host": host } } });
    fs::write(meta.join("meta.json"), context.to_string()).unwrap();
    let around = [("DOCKER_HOST", ""), ("DOCKER_CONFIG", config.to_str().unwrap())];

    // A daemon answers in the usual place, but the context names another.
    let named = "which the current `docker context` names";
    let why = format!("no Docker daemon: there is no socket {}, {named}", socket.display());
    it.xtask_in(&["--server", "docker", "db-setup"], &around).expect(1, &[&why]);
    it.xtask_in(&["server", "start"], &around).expect(0, &[&format!("native ({why})")]);
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);

    symlink("/var/run/docker.sock", &socket).unwrap();
    other.xtask_in(&["server", "start"], &around).expect(0, &["Docker (its daemon answers)"]);
    other.xtask_in(&["--server", "docker", "server", "stop"], &around).expect(0, &["stopped"]);
}
