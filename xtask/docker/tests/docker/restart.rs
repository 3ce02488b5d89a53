//! An engine that restarts, loses power, or has no free port. Each test starts its own.

use crate::{docker::Docker, engine::Engine};

#[test]
fn data_outlives_a_restart_of_the_engine_and_a_power_cut() {
    let engine = Engine::start();
    engine.load_image();
    let mut it = Docker::apart(engine);
    it.xtask(&["--server", "docker", "db-setup"]).expect(0, &["created"]);
    it.sql("insert into branches (name, slug) values ('Acme', 'acme')");
    let still_there = |it: &Docker, what: &str| {
        it.xtask(&["server", "start"]).expect(0, &["started"]);
        assert_eq!(it.sql("select count(*) from branches"), "1", "after {what}");
        it.xtask(&["db-setup"]).expect(0, &["kept", "0 pending", "0 changes"]);
        assert_eq!((it.containers().len(), it.volumes().len()), (1, 1), "after {what}");
    };
    it.engine().restart();
    still_there(&it, "a restart");
    it.engine().cut_power();
    still_there(&it, "a power cut");
}

#[test]
fn an_engine_without_a_free_port_is_reported() {
    let engine = Engine::with_ports("40000 40000");
    engine.load_image();
    let listener = engine.listener(40000);
    let it = Docker::apart(engine);
    let refused = |why: &str| {
        for verb in ["db-setup", "verify"] {
            it.xtask(&["--server", "docker", verb]).expect(
                1,
                &[
                    "error: the Docker engine found no free port on 127.0.0.1 for the server: ",
                    why,
                    "\n  see which programs have them: ss --listening --tcp --processes\n",
                ],
            );
            let ours = it.docker(&["ps", "--all", "--quiet", "--filter", "label=xtask.role"]);
            assert_eq!(ours.as_deref(), Some(""), "{verb}");
        }
        it.expect_nothing();
    };
    refused("address already in use");
    drop(listener);
    // Another container has the port.
    it.docker(&[
        "run",
        "--detach",
        "--init",
        "--publish",
        "127.0.0.1::1",
        "postgres:15-alpine",
        "sleep",
        "600",
    ])
    .unwrap();
    refused("allocated");
}
