//! The benchmark of servers in Docker runs, reports its rows, and leaves nothing. No test judges a figure.

use duct::cmd;

use crate::docker::{Docker, wait_until};

/// The containers and volumes of the benchmark with that pid, which may have ended.
fn left_by(pid: u32) -> Vec<String> {
    let label = "{{.Label \"xtask.repository\"}}";
    let containers = cmd!("docker", "ps", "--all", "--format", label).read().unwrap();
    let volumes = cmd!("docker", "volume", "ls", "--format", label).read().unwrap();
    let mine = format!("xtask-bench-{pid}-");
    let all = containers.lines().chain(volumes.lines());
    all.filter(|repository| repository.starts_with(&mine)).map(str::to_owned).collect()
}

#[test]
fn the_benchmark_measures_servers_in_docker_and_leaves_none() {
    let it = Docker::new();
    let bench = it.command(&["--server", "docker", "bench", "--runs", "1", "--format", "json"]);
    let running = bench.stdout_capture().stderr_capture().start().unwrap();
    let pid = running.pids()[0];
    let output = running.wait().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(names, ["cargo xtask server start, found running", "test server in Docker, from nothing"]);
    for row in rows {
        assert!(row["ours_ms"].as_f64().unwrap() > 0.0 && row["peer_ms"].as_f64().unwrap() > 0.0, "{row}");
    }
    assert_eq!(left_by(pid), Vec::<String>::new());
}

#[test]
fn an_interrupted_benchmark_leaves_no_server_in_docker() {
    let it = Docker::new();
    let bench = it.command(&["--server", "docker", "bench", "--runs", "1000"]);
    let running = bench.stdout_capture().stderr_capture().start().unwrap();
    let pid = running.pids()[0];
    wait_until("the benchmark started no server", || !left_by(pid).is_empty());
    cmd!("kill", "-INT", pid.to_string()).run().unwrap();
    let output = running.wait().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(left_by(pid), Vec::<String>::new());
}
