//! Draws the time from a test's start to the answer of its first query, by number of migrations.

use std::path::Path;

use xtask_protocol::plot::Line;

use crate::{
    checkout::{Checkout, ServerChoice},
    terminal::output,
    verbs::bench::{
        figures::median_of_ms,
        folder::Folder,
        lines::{self, Labels},
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
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let points = times.map(|(migrations, it)| (migrations as f64, it.as_secs_f64() * 1000.0)).collect();
        drawn.push(Line { name: name.to_owned(), points });
    }
    let labels = Labels {
        title: "From a test's start to its first query answered, one test at a time",
        across: "migrations",
        up: "milliseconds",
    };
    lines::draw(file, labels, drawn)?;
    output::line(&format!("drawn for {MIGRATIONS:?} migrations: {}", file.display()));
    Ok(())
}

async fn first_queries(stage: &Stage, design: Design, tests: usize) -> anyhow::Result<Vec<f64>> {
    Ok(match design {
        Design::Seeded => stage.hand_outs(tests).await?.ours_ms,
        _ => stage.suite(design, tests, 1).await?.first_query_ms,
    })
}
