//! Measures servers in Docker: finding the running development server, and starting a test server from nothing.

use std::{
    env,
    ffi::OsString,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::symlink,
    time::{Duration, Instant},
};

use anyhow::Context;
use duct::{Expression, cmd};
use migrations::Postgres;
use tokio::task::yield_now;

use crate::{
    checkout::{Checkout, library},
    helpers::built,
    verbs::bench::{
        figures::{median, timed},
        folder::Folder,
        measured::Containers,
        table::{Goal, Row},
    },
};

/// A checkout and a server in Docker for the benchmark alone, both removed at the end.
struct Bench {
    cargo: OsString,
    containers: Containers,
    folder: Folder,
}

impl Bench {
    fn new(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Bench> {
        let folder = Folder::create()?;
        symlink(checkout.migrations(), folder.0.join("migrations"))?;
        let cargo = built::cargo();
        Ok(Bench { cargo, containers: Containers::of_checkout(&folder.0, postgres)?, folder })
    }

    /// The program of a package started by cargo, as people type it.
    fn by_cargo(&self, package: &str, args: &[&str]) -> Expression {
        let words = ["run", "--quiet", "--package", package, "--"].into_iter().chain(args.iter().copied());
        cmd(&self.cargo, words)
            .dir(library())
            .env("XTASK_ROOT", &*self.folder.0)
            .env("XTASK_SERVER", "docker")
            .env("XDG_STATE_HOME", self.folder.0.join("state"))
            .stdin_null()
            .stdout_null()
    }
}

/// Measures the servers, `runs` times each.
pub(super) async fn measure(checkout: &Checkout, runs: u32) -> anyhow::Result<Vec<Row>> {
    let postgres = checkout.project()?.postgres;
    let bench = Bench::new(checkout, &postgres)?;
    Ok(vec![found_again(&bench, runs).await?, test_server(&bench, &postgres, runs).await?])
}

/// `cargo xtask server start` while the container runs, which returns once the server has answered a query, against
/// starting only the program that talks to Docker.
async fn found_again(bench: &Bench, runs: u32) -> anyhow::Result<Row> {
    let ours = bench.by_cargo("xtask", &["server", "start"]);
    // It has no such verb: it only says so, and exits.
    let start = bench.by_cargo("xtask-docker", &["--help"]).unchecked();
    ours.run()?;
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        our_times.push(timed(&ours)?);
        their_times.push(timed(&start)?);
        // Lets an interrupt end the loop.
        yield_now().await;
    }
    let (ours, theirs) = (median(our_times), median(their_times));
    let goal = Goal::Longer(Duration::from_millis(120));
    Ok(Row::new(
        "cargo xtask server start, found running",
        ours,
        "cargo run --package xtask-docker",
        theirs,
        goal,
    ))
}

/// Starting a test server from nothing, until its first answer, against testcontainers alone with the same image and
/// settings.
async fn test_server(bench: &Bench, postgres: &Postgres, runs: u32) -> anyhow::Result<Row> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(bench.containers.time_test_server(postgres).await?);
        theirs.push(time_bare(&bench.containers, postgres)?);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    Ok(Row::new(
        "test server in Docker, from nothing",
        ours,
        "testcontainers alone",
        theirs,
        Goal::Ratio(1.15),
    ))
}

fn time_bare(containers: &Containers, postgres: &Postgres) -> anyhow::Result<Duration> {
    let args = [&containers.image, &postgres.version.to_string(), &containers.repository];
    let mut bare = cmd(&containers.bare, args).stdin_null();
    if env::var_os("DOCKER_HOST").is_some_and(|host| host.is_empty()) {
        // Other tools treat an empty variable as unset; testcontainers takes it for an address.
        bare = bare.env_remove("DOCKER_HOST");
    }
    let start = Instant::now();
    let mut output = BufReader::new(bare.reader().context("start testcontainers alone")?);
    output.read_line(&mut String::new())?;
    let elapsed = start.elapsed();
    // The program ends after it has removed its container.
    output.read_to_string(&mut String::new())?;
    Ok(elapsed)
}
