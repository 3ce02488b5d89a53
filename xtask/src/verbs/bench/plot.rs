//! Draws the time from a test's start to the answer of its first query, by number of migrations.

use std::path::{Path, absolute};

use anyhow::Context;
use duct::cmd;
use serde_json::json;

use crate::{
    checkout::{Checkout, ServerChoice, library},
    helpers::built,
    terminal::output,
    verbs::bench::{
        figures::median_of_ms,
        folder::Folder,
        stage::{Design, Stage},
    },
};

const MIGRATIONS: [usize; 5] = [4, 50, 100, 200, 400];
/// How often to measure each design on each server.
const ROUNDS: usize = 3;
const LINES: [(&str, Design); 6] = [
    ("seeded(), the usual one", Design::Seeded),
    ("recycled()", Design::Recycled),
    ("with_transaction", Design::Transaction),
    ("cloned by the test", Design::OnDemand),
    ("#[sqlx::test], template1 migrated", Design::Template1),
    ("#[sqlx::test]", Design::Replay),
];

/// Measures with `tests` tests for each point, and draws the figures into an SVG file.
pub(super) async fn draw(
    checkout: &Checkout,
    folder: &Folder,
    kind: ServerChoice,
    tests: usize,
    file: &Path,
) -> anyhow::Result<()> {
    let mut stages = Vec::new();
    for migrations in MIGRATIONS {
        stages.push(Stage::open(checkout, folder, kind, migrations).await?);
    }
    let mut lines = LINES.map(|_| MIGRATIONS.map(|_| Vec::new()));
    // In turn, because others may use the machine too.
    for _ in 0..ROUNDS {
        for (line, (_, design)) in lines.iter_mut().zip(LINES) {
            for (times, stage) in line.iter_mut().zip(&stages) {
                times.extend(first_queries(stage, design, tests.div_ceil(ROUNDS).min(5)).await?);
            }
        }
    }
    for stage in stages {
        stage.host.end().await?;
    }
    let mut drawn = Vec::new();
    for (line, (name, _)) in lines.into_iter().zip(LINES) {
        let times = MIGRATIONS.into_iter().zip(line.map(median_of_ms));
        let shown: Vec<String> = times.clone().map(|(_, it)| format!("{:>8}", output::time(it))).collect();
        output::line(&format!("{name:<34} {}", shown.join(" ")));
        let points: Vec<_> = times.map(|(migrations, it)| (migrations, it.as_secs_f64() * 1000.0)).collect();
        drawn.push(json!({ "name": name, "points": points }));
    }
    let request = json!({
        "file": absolute(file)?,
        "title": "From a test's start to its first query answered, one test at a time",
        "across": "migrations",
        "up": "milliseconds",
        "lines": drawn,
    });
    let program = built::program(library(), "xtask-plot")?;
    cmd!(program).stdin_bytes(request.to_string()).run().context("run xtask-plot")?;
    output::line(&format!("drawn for {MIGRATIONS:?} migrations: {}", file.display()));
    Ok(())
}

async fn first_queries(stage: &Stage, design: Design, tests: usize) -> anyhow::Result<Vec<f64>> {
    Ok(match design {
        Design::Seeded => stage.hand_outs(tests).await?.ours_ms,
        _ => stage.suite(design, tests, 1).await?.first_query_ms,
    })
}
