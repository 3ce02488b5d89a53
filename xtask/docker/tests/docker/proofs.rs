//! Proofs run on a server in memory, which ends with them.

use crate::{
    docker::{Docker, wait_until},
    running::Running,
};

#[test]
fn proofs_on_docker_leave_no_container() {
    let it = Docker::new();
    let proof = |code: i32, said: &str| {
        let running = Running::start(&it, &["--server", "docker", "verify"]);
        let package = running.wait_for_package();
        let output = running.end();
        let all = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
        assert!(output.status.code() == Some(code) && all.contains(said), "{all}");
        assert_eq!(it.test_servers_of(&package), 0, "{all}");
    };
    proof(0, "all of it holds");
    it.checkout.migration("people/0002_bad", "selec 1;", "select 1;");
    proof(1, "migration people/0002_bad failed");
}

#[test]
fn an_interrupted_proof_leaves_no_container() {
    let it = Docker::new();
    it.checkout.migration("people/0002_slow", "select pg_sleep(600);", "select 1;");
    for signal in ["-INT", "-TERM", "-HUP"] {
        let running = Running::start(&it, &["--server", "docker", "verify"]);
        let package = running.wait_for_package();
        wait_until("no test server started", || it.test_servers_of(&package) > 0);
        running.signal(signal);
        assert_eq!(running.end().status.code(), Some(130), "{signal}");
        assert_eq!(it.test_servers_of(&package), 0, "{signal}");
    }
}
