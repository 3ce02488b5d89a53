//! `cargo xtask bench scratch`: compares every way to give tests their databases with sqlx's own, in one run.
//!
//! A separate program runs the tests through the library `tests`, as real tests do. Server, password, content and cores
//! are the same for all designs.

use std::{path::PathBuf, thread, time::Duration};

use anyhow::Context;
use clap::Args as ClapArgs;
use xtask_protocol::bench::{Clones, HandOutTimes};

use crate::{
    checkout::{Checkout, ServerChoice},
    server::psql::find_psql,
    terminal::{format::Format, interrupt::or_interrupted},
    verbs::bench::{
        client::client,
        figures::{median, median_of_ms},
        folder::Folder,
        plot,
        stage::{Design, FILLED, Stage, first_of_all},
        table::{self, Goal, Row},
    },
};

/// How many tests, or creators of clones, run at a time.
const AT_ONCE: usize = 4;
/// How many migrations the large project has.
const MANY: usize = 400;
/// Clones that the service makes ahead, so that no test waits for them. It makes no more than these ahead.
const READY: usize = 16;
/// Clones that tests wait for. The tests hold them together with the ready ones, and the service reserves five of the
/// server's 200 connections for each.
const CLONES: usize = 20;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask bench scratch
  cargo xtask bench scratch --tests 20 --format json     fewer tests, for a first look
  cargo xtask bench scratch --plot tests/hand-out.svg    draw hand-outs by number of migrations

Exit code 1: a test or a command failed.")]
pub(super) struct Args {
    /// How many tests each suite has
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    tests: u32,
    /// Draw hand-outs by number of migrations into this SVG file, in place of the table
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(super) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let kind = match checkout.server_choice(&checkout.project()?.postgres)? {
            ServerChoice::Docker => ServerChoice::Docker,
            _ => ServerChoice::Native,
        };
        let (folder, tests) = (Folder::create()?, self.tests as usize);
        if let Some(file) = &self.plot {
            return or_interrupted(plot::draw(checkout, &folder, kind, tests, file)).await;
        }
        let rows = or_interrupted(measure(checkout, &folder, kind, tests)).await?;
        table::print(&rows, self.format);
        Ok(())
    }
}

async fn measure(
    checkout: &Checkout,
    folder: &Folder,
    kind: ServerChoice,
    tests: usize,
) -> anyhow::Result<Vec<Row>> {
    let few = Stage::open(checkout, folder, kind, 0).await?;
    let many = Stage::open(checkout, folder, kind, MANY).await?;
    let mut rows = hand_outs(&few, &many, tests).await?;
    many.host.end().await?;
    rows.extend(suites(&few, tests).await?);
    rows.push(clones(&few).await?);
    few.host.end().await?;
    rows.push(fresh(checkout, folder, kind, tests)?);
    Ok(rows)
}

async fn hand_outs(few: &Stage, many: &Stage, tests: usize) -> anyhow::Result<Vec<Row>> {
    let (mut with_few, mut with_many) = (HandOutTimes::default(), HandOutTimes::default());
    // In small turns, because the load of the machine changes from one second to the next.
    for _ in 0..(tests / 8).clamp(5, 25) {
        for (stage, all) in [(few, &mut with_few), (many, &mut with_many)] {
            let block = stage.hand_outs(2).await?;
            all.ours_ms.extend(block.ours_ms);
            all.bare_ms.extend(block.bare_ms);
        }
    }
    let replay = many.suite(Design::Replay, (tests / 20).clamp(1, 10), 1).await?;
    let (ours, with_many) = (median_of_ms(with_few.ours_ms), median_of_ms(with_many.ours_ms));
    Ok(vec![
        Row::new(
            "hand-out to first query",
            ours,
            "a bare connection and the query",
            median_of_ms(with_few.bare_ms),
            Goal::Ratio(2.0),
        ),
        Row::new(
            "the same with 400 migrations",
            with_many,
            "with the migrations of now",
            ours,
            Goal::Ratio(1.15),
        ),
        Row::new(
            "the same with 400 migrations",
            with_many,
            "#[sqlx::test] with 400",
            median_of_ms(replay.first_query_ms),
            Goal::None,
        ),
    ])
}

async fn suites(stage: &Stage, tests: usize) -> anyhow::Result<Vec<Row>> {
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let rate = |seconds: f64, tests: usize| tests as f64 / seconds;
    const PEER: &str = "#[sqlx::test] replaying migrations";
    for design in Design::ALL {
        // Warm up: create everything that is created once.
        stage.suite(design, AT_ONCE, AT_ONCE).await?;
    }
    // Half of the peer's tests run before each of our suites and half after, because others may use the machine too.
    let half = tests.div_ceil(2);
    let mut before = stage.suite(Design::Replay, half, AT_ONCE).await?.seconds;
    let mut rows = Vec::new();
    for (what, design, goal) in [
        ("suite, 4 at a time", Design::Seeded, Goal::Rate(3.0)),
        ("suite, recycled", Design::Recycled, Goal::Rate(7.0)),
        ("suite, in transactions", Design::Transaction, Goal::None),
        ("suite, cloned by the tests themselves", Design::OnDemand, Goal::None),
        ("#[sqlx::test], template1 migrated", Design::Template1, Goal::None),
    ] {
        let ours = rate(stage.suite(design, tests, AT_ONCE).await?.seconds, tests);
        let after = stage.suite(Design::Replay, half, AT_ONCE).await?.seconds;
        let theirs = rate(before + after, 2 * half);
        before = after;
        rows.push(Row::rates(what, ours, PEER, theirs, goal));
    }
    let ours = stage.processes(Design::Seeded, tests, AT_ONCE).await?;
    let theirs = stage.processes(Design::Replay, tests, AT_ONCE).await?;
    let [ours, theirs] = [ours, theirs].map(|time| rate(time.as_secs_f64(), tests));
    rows.push(Row::rates(
        "suite, a process a test",
        ours,
        "#[sqlx::test], a process a test",
        theirs,
        Goal::None,
    ));
    Ok(rows)
}

/// Clones by the service for four waiting tests, in turn with clones by four psql.
async fn clones(stage: &Stage) -> anyhow::Result<Row> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        stage.settle().await?;
        let socket = stage.host.socket.clone();
        let request = Clones { socket, ready: READY, clones: CLONES, at_once: AT_ONCE };
        ours.push(stage.ask(&request, Design::Seeded)?.per_second);
        stage.settle().await?;
        theirs.push(clone_with_psql(stage).await?);
    }
    let [ours, theirs] = [ours, theirs].map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    });
    Ok(Row::rates("clones, 4 waiting", ours, "create database by 4 psql", theirs, Goal::Rate(0.9)))
}

/// Clones per second by several psql at a time. The clock starts with the first statement of all and stops after the last,
/// so that the start of psql does not count.
async fn clone_with_psql(stage: &Stage) -> anyhow::Result<f64> {
    const CLOCK: &str = "select extract(epoch from clock_timestamp())";
    let url = stage.url("postgres")?;
    let psql = find_psql(&stage.checkout.project()?.postgres)?;
    let run = |names: &[String]| {
        let mut words = vec!["--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--command", CLOCK]
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        for name in names {
            let create = format!("create database {name} template {} strategy file_copy", FILLED);
            words.extend(["--command".to_owned(), create]);
        }
        words.extend(["--command".to_owned(), CLOCK.to_owned()]);
        let command = client(&psql, words, &url, "postgres")?;
        let output = command.read().context("run psql")?;
        let times: Vec<f64> = output.lines().filter_map(|line| line.trim().parse().ok()).collect();
        anyhow::Ok((times.first().copied().unwrap_or_default(), times.last().copied().unwrap_or_default()))
    };
    let names: Vec<String> = (0..READY + CLONES).map(|number| format!("bench_clone_{number}")).collect();
    let times = thread::scope(|scope| {
        let started: Vec<_> =
            names.chunks(names.len() / AT_ONCE).map(|names| scope.spawn(move || run(names))).collect();
        let ended = started.into_iter().map(|psql| psql.join().unwrap_or_else(|_| Ok((0.0, 0.0))));
        ended.collect::<anyhow::Result<Vec<_>>>()
    })?;
    let began = times.iter().map(|time| time.0).fold(f64::MAX, f64::min);
    let ended = times.iter().map(|time| time.1).fold(0.0, f64::max);
    let drops: Vec<String> = names.iter().map(|name| format!("drop database {name}")).collect();
    stage.sql(&drops.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let clones = names.len() as f64;
    Ok(clones / (ended - began))
}

/// The first query of a plain test in a fresh checkout.
fn fresh(checkout: &Checkout, folder: &Folder, kind: ServerChoice, tests: usize) -> anyhow::Result<Row> {
    let times = (0..tests.min(5)).map(|_| first_of_all(checkout, folder, kind));
    let (ours, limit) = (median(times.collect::<anyhow::Result<_>>()?), Duration::from_millis(500));
    Ok(Row::new("first query of a fresh checkout", ours, "its goal", limit, Goal::Time(limit)))
}
