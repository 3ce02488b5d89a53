//! A server that can't be started: the error shows the cause and the way out, and nothing is left.

use std::{
    io::{BufRead as _, BufReader, Write as _, pipe},
    thread,
};

use serde_json::{Value, json};

use crate::{
    docker::{Docker, Image, package, package_program},
    engine::Engine,
};

const DB_SETUP: [&str; 3] = ["--server", "docker", "db-setup"];
const VERIFY: [&str; 3] = ["--server", "docker", "verify"];

#[test]
fn a_missing_image_that_cannot_be_pulled_is_reported() {
    // Neither an image nor a network.
    let it = Docker::apart(Engine::start());
    for verb in [DB_SETUP, VERIFY] {
        it.xtask(&verb).expect(
            1,
            &[
                "pulling the image postgres:15-alpine\n",
                "error: the image postgres:15-alpine is not on this machine, and it could not be pulled: ",
                " dial tcp: ",
                "\n  do without Docker: --server native\n  or name an image that is here (docker images): \
                 export XTASK_POSTGRES_IMAGE=name:tag\n",
            ],
        );
    }
    it.expect_nothing();
}

#[test]
fn an_image_of_another_major_is_refused() {
    let it = Docker::new();
    it.checkout.replace("apps.toml", "version = 15", "version = 14");
    for verb in [DB_SETUP, VERIFY] {
        let refused = it.xtask_in(&verb, &[("XTASK_POSTGRES_IMAGE", "postgres:15-alpine")]);
        refused.expect(1, &[]);
        let said = "error: the image postgres:15-alpine has PostgreSQL 15 instead of 14; nothing was touched\n  name another: export XTASK_POSTGRES_IMAGE=postgres:14-alpine\n";
        assert_eq!(refused.stderr, said);
    }
    it.expect_nothing();
}

#[test]
fn a_container_that_dies_at_its_start_is_reported_with_its_last_lines() {
    let it = Docker::new();
    let image = Image::running(
        &it,
        "i=0; while [ $i -lt 30 ]; do i=$((i + 1)); echo line $i; done; echo last words; exit 7",
    );
    let image = [("XTASK_POSTGRES_IMAGE", image.0.as_str())];
    for verb in [DB_SETUP, VERIFY] {
        let refused = it.xtask_in(&verb, &image);
        refused.expect(
            1,
            &[
                "error: the server in container xtask-",
                " ended before it answered a query (exit code 7)\n  its last lines:\n    line 12\n",
                "    line 30\n    last words\n  do without Docker: --server native\n",
            ],
        );
        assert!(!refused.stderr.contains("line 11\n"), "{}", refused.stderr);
    }
    it.xtask_in(&DB_SETUP, &image)
        .expect(1, &["\n  it was removed; or name another image: export XTASK_POSTGRES_IMAGE=name:tag\n"]);
    it.expect_nothing();
}

/// It takes a minute, the time limit for slow machines.
#[test]
fn a_server_that_never_answers_is_reported_after_a_minute() {
    let it = Docker::new();
    let image = Image::running(&it, "echo at it; exec sleep 600");
    let image = [("XTASK_POSTGRES_IMAGE", image.0.as_str())];
    let expect_timeout = |verb: &[&str]| {
        it.xtask_in(verb, &image).expect(
            1,
            &[
                "error: the server in container xtask-",
                " answered no query within 60 s: ",
                "\n  its last lines:\n    at it\n  do without Docker: --server native\n",
            ],
        );
    };
    thread::scope(|both| {
        both.spawn(|| expect_timeout(&VERIFY));
        expect_timeout(&DB_SETUP);
    });
    // It may only be slow, so its container stays, until another image replaces it.
    assert_eq!(it.containers(), [format!("{} running", it.container())]);
    assert_eq!(it.remembered(), None);
    it.xtask(&DB_SETUP).expect(0, &["created", "9 tables"]);
    assert_eq!((it.containers().len(), it.volumes().len()), (1, 1));
}

#[test]
fn data_of_another_major_is_refused_and_not_touched() {
    let it = Docker::new();
    it.xtask(&DB_SETUP).expect(0, &["created"]);
    let (name, volume) = (it.container(), format!("{}-pg15", it.container()));
    let version = |text: &str| {
        let script = format!("{text} \"$PGDATA/PG_VERSION\"");
        let mount = format!("{volume}:/var/lib/postgresql/data");
        it.docker(&["run", "--rm", "--volume", &mount, "postgres:15-alpine", "sh", "-c", &script]).unwrap()
    };
    it.docker(&["rm", "--force", &name]).unwrap();
    version("echo 14 >");
    // The label of our volume has the old version, and the server finds the new one.
    it.xtask(&["db-check"]).expect(
        1,
        &[
            &format!("error: the server in container {name} found data of another major version, and ended"),
            "DETAIL:  The data directory was initialized by PostgreSQL version 14",
            "\n  do without Docker: --server native\n",
            &format!("\n  or, if the data may go, start over: docker volume rm {volume}\n"),
        ],
    );
    assert_eq!((it.containers(), version("cat")), (vec![], "14".to_owned()));

    // A volume that was restored from a copy has no label, so its data is read before a server starts on it.
    it.docker(&["volume", "rm", &volume]).unwrap();
    it.docker(&["volume", "create", &volume]).unwrap();
    version("echo 14 >");
    let refused = it.xtask(&["db-check"]);
    refused.expect(1, &[]);
    let said = format!(
        "error: the data in volume {volume} is of PostgreSQL 14 instead of 15; nothing was touched\n  \
         move it by a dump: set the version back to 14, run pg_dumpall, and load its output into 15\n  \
         or, if the data may go: docker rm --force --volumes {name}; docker volume rm {volume}\n"
    );
    assert_eq!(refused.stderr, said);
    assert_eq!((it.containers(), version("cat")), (vec![], "14".to_owned()));
}

#[test]
fn a_volume_without_room_is_reported() {
    let it = Docker::new();
    it.xtask(&["--server", "docker", "server", "start"]).expect(0, &["created"]);
    let (name, volume) = (it.container(), format!("{}-pg15", it.container()));
    it.docker(&["rm", "--force", &name]).unwrap();
    it.docker(&["volume", "rm", &volume]).unwrap();
    let small = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=20m"];
    it.docker(&[&["volume", "create"], &small[..], &[&volume]].concat()).unwrap();
    it.xtask(&["db-setup"]).expect(
        1,
        &[
            &format!(
                "error: the server in container {name} had no room left, and ended before it answered a query"
            ),
            "No space left on device",
            "\n  do without Docker: --server native\n  \
             see what takes the room, and remove what is not needed: docker system df\n",
        ],
    );
    // The volume was not created by us, so it stays.
    assert_eq!((it.containers(), it.volumes()), (vec![], vec![volume]));
}

/// By the program itself, because `xtask` never limits the memory.
#[test]
fn a_test_server_without_room_is_reported_and_leaves_no_container() {
    let it = Docker::new();
    let ((input, mut line), (answer, output)) = (pipe().unwrap(), pipe().unwrap());
    let asked = package(&[], &package_program(), "test").stdin_file(input).stdout_file(output);
    let running = asked.stderr_null().start().unwrap();
    let request = json!({ "image": "postgres:15-alpine", "user": "app", "password": "p", "major": 15, "megabytes": 20 });
    writeln!(line, "{request}").unwrap();
    let mut refused = String::new();
    BufReader::new(answer).read_line(&mut refused).unwrap();
    assert_eq!(running.wait().unwrap().status.code(), Some(1), "{refused}");
    let refused: Value = serde_json::from_str(&refused).unwrap();
    assert_eq!(refused["error"]["kind"], "disk-full");
    let message = refused["error"]["message"].as_str().unwrap();
    for said in [
        " had no room left, and ended before it answered a query",
        "No space left on device",
        "\n  its data is in memory; do without Docker: --server native\n  or see how much memory is free: free --human",
    ] {
        assert!(message.contains(said), "{message}");
    }
    assert_eq!(it.test_servers_of(&running.pids()[0].to_string()), 0);
}
