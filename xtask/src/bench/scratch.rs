//! `cargo xtask bench scratch`: how tests get their databases, every design in one run, beside sqlx's own.
//!
//! Tests run as tests do, through the library `tests`, in a program of its own; server, password, content and cores are
//! the same for all.

use std::{path::PathBuf, thread, time::Duration};

use anyhow::Context;
use clap::Args as ClapArgs;
use duct::cmd;
use xtask_protocol::bench::{Clones, HandOutTimes};

use super::{
    Folder, plot,
    stage::{Design, Stage, first_of_all},
    table::{self, Goal, Row, median},
};
use crate::{
    checkout::Checkout,
    cli::{Format, ServerChoice},
    db_shell,
    interrupt::or_interrupted,
    libpq,
};

/// Tests that run at a time, and creators of clones.
const AT_ONCE: usize = 4;
/// Migrations of the project that has many.
const MANY: usize = 400;
/// Clones that nobody waits for: a service makes no more of them ahead.
const READY: usize = 16;
/// Clones that are waited for. They are held with the others, and each is lent with five of the server's 200 connections.
const CLONES: usize = 20;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask bench scratch
  cargo xtask bench scratch --tests 20 --format json     fewer tests, for a first look
  cargo xtask bench scratch --plot tests/hand-out.svg    the plot instead: hand-outs by number of migrations")]
pub(super) struct Args {
    /// Tests of each suite
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    tests: u32,
    /// Draw hand-outs by number of migrations into this SVG file instead
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// How to report
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
    // In small turns, since what else the machine does changes from one second to the next.
    for _ in 0..(tests / 8).clamp(5, 25) {
        for (stage, all) in [(few, &mut with_few), (many, &mut with_many)] {
            let block = stage.hand_outs(2).await?;
            all.ours_ms.extend(block.ours_ms);
            all.bare_ms.extend(block.bare_ms);
        }
    }
    let replay = many.suite(Design::Replay, (tests / 20).clamp(1, 10), 1).await?;
    let (ours, with_many) = (middle(with_few.ours_ms), middle(with_many.ours_ms));
    Ok(vec![
        Row::new(
            "hand-out to first query",
            ours,
            "a bare connection and the query",
            middle(with_few.bare_ms),
            Goal::Ratio(2.0),
        ),
        Row::new("the same with 400 migrations", with_many, "with those of now", ours, Goal::Ratio(1.15)),
        Row::new(
            "the same with 400 migrations",
            with_many,
            "#[sqlx::test] with 400",
            middle(replay.first_query_ms),
            Goal::None,
        ),
    ])
}

async fn suites(stage: &Stage, tests: usize) -> anyhow::Result<Vec<Row>> {
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let rate = |seconds: f64, tests: usize| tests as f64 / seconds;
    const PEER: &str = "#[sqlx::test] replaying migrations";
    for design in Design::ALL {
        // Whatever is made once is there, and warm.
        stage.suite(design, AT_ONCE, AT_ONCE).await?;
    }
    // Half of it before each of ours and half after, since others may use the machine too.
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

/// Clones by the service for four who wait, in turn with those of four times psql.
async fn clones(stage: &Stage) -> anyhow::Result<Row> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        stage.settle().await?;
        let socket = stage.host.socket.clone();
        let request = Clones { socket, ready: READY, clones: CLONES, at_once: AT_ONCE };
        ours.push(stage.ask(&request, Design::Seeded)?.per_second);
        stage.settle().await?;
        theirs.push(by_psql(stage).await?);
    }
    let [ours, theirs] = [ours, theirs].map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    });
    Ok(Row::rates("clones, 4 waiting", ours, "create database by 4 psql", theirs, Goal::Rate(0.9)))
}

/// Counted from the first statement of the first to the last of the last, so that no start of psql is in it.
async fn by_psql(stage: &Stage) -> anyhow::Result<f64> {
    const CLOCK: &str = "select extract(epoch from clock_timestamp())";
    let url = stage.url("postgres")?;
    let psql = db_shell::psql(&stage.checkout.project()?.postgres)?;
    let run = |names: &[String]| {
        let mut words = vec!["--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--command", CLOCK]
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        for name in names {
            let create =
                format!("create database {name} template {} strategy file_copy", super::stage::FILLED);
            words.extend(["--command".to_owned(), create]);
        }
        words.extend(["--command".to_owned(), CLOCK.to_owned()]);
        let options = url.as_str().parse()?;
        let command = libpq::environment(&url, &options)
            .into_iter()
            .fold(cmd(&psql, words), |command, (name, value)| command.env(name, value));
        let said = command.read().context("run psql")?;
        let times: Vec<f64> = said.lines().filter_map(|line| line.trim().parse().ok()).collect();
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

/// A plain test where nothing ever ran.
fn fresh(checkout: &Checkout, folder: &Folder, kind: ServerChoice, tests: usize) -> anyhow::Result<Row> {
    let times = (0..tests.min(5)).map(|_| first_of_all(checkout, folder, kind));
    let (ours, limit) = (median(times.collect::<anyhow::Result<_>>()?), Duration::from_millis(500));
    Ok(Row::new("first query of a fresh checkout", ours, "its goal", limit, Goal::Time(limit)))
}

/// The middle of some milliseconds.
pub(super) fn middle(milliseconds: Vec<f64>) -> Duration {
    median(milliseconds.into_iter().map(|ms| Duration::from_secs_f64(ms / 1000.0)).collect())
}
