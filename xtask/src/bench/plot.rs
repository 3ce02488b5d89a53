//! The time from a test's start to its first query answered, by number of migrations, drawn.

use std::path::{Path, absolute};

use anyhow::Context;
use duct::cmd;
use serde_json::json;

use super::{
    Folder,
    scratch::middle,
    stage::{Design, Stage},
};
use crate::{checkout::Checkout, cli::ServerChoice, output, server};

const MIGRATIONS: [usize; 5] = [4, 50, 100, 200, 400];
const LINES: [(&str, Design); 6] = [
    ("seeded(), the usual one", Design::Seeded),
    ("recycled()", Design::Recycled),
    ("with_transaction", Design::Transaction),
    ("cloned by the test", Design::OnDemand),
    ("#[sqlx::test], template1 migrated", Design::Template1),
    ("#[sqlx::test]", Design::Replay),
];

pub(super) async fn draw(
    checkout: &Checkout,
    folder: &Folder,
    kind: ServerChoice,
    tests: usize,
    file: &Path,
) -> anyhow::Result<()> {
    let tests = tests.min(15);
    let mut lines = LINES.map(|(name, _)| json!({ "name": name, "points": [] }));
    for (last, migrations) in
        MIGRATIONS.into_iter().enumerate().map(|(n, it)| (n + 1 == MIGRATIONS.len(), it))
    {
        let stage = Stage::open(checkout, folder, kind, migrations).await?;
        for (line, (name, design)) in lines.iter_mut().zip(LINES) {
            let times = match design {
                Design::Seeded => stage.hand_outs(tests).await?.ours_ms,
                _ => stage.suite(design, tests, 1).await?.first_query_ms,
            };
            let time = middle(times);
            output::line(&format!("{migrations:>4} migrations  {name:<34} {:>8}", output::time(time)));
            if let Some(points) = line["points"].as_array_mut() {
                points.push(json!([migrations, time.as_secs_f64() * 1000.0]));
            }
        }
        if last {
            let request = json!({
                "file": absolute(file)?,
                "title": "From a test's start to its first query answered, one test at a time",
                "across": "migrations",
                "up": "milliseconds",
                "lines": lines,
            });
            let program = server::program("xtask-plot")?;
            cmd!(program).stdin_bytes(request.to_string()).run().context("run xtask-plot")?;
        }
        stage.host.end().await?;
    }
    output::line(&format!("drawn: {}", file.display()));
    Ok(())
}
