//! Which kind of server a checkout uses where both could be had.

use crate::docker::Docker;

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
    it.xtask(&["db-setup"]).expect(0, &["Docker (its daemon answers)", "9 tables"]);
}

#[test]
fn auto_takes_the_other_kind_where_the_image_cannot_be_had() {
    let it = Docker::new();
    let image = [("XTASK_POSTGRES_IMAGE", "nowhere.invalid/postgres:15")];
    it.xtask_in(&["db-setup"], &image).expect(0, &["native (no Docker: ", "9 tables"]);
    assert_eq!(it.remembered().as_deref(), Some("native"));
    it.xtask(&["--server", "native", "server", "stop"]).expect(0, &[]);
}
