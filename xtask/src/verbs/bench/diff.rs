//! `cargo xtask bench diff`: how long it takes to find what turns one schema into another, against `pg_dump` of one of them.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::ensure;
use clap::Args as ClapArgs;
use duct::{Expression, cmd};
use migrations::database::connect;
use sqlx::Connection;
use xtask_protocol::plot::Line;

use crate::{
    checkout::{Checkout, library},
    helpers::built,
    terminal::{child::this_program, exit::pass_on, format::Format, interrupt::or_interrupted, output},
    throwaway::test_server::TestServer,
    verbs::bench::{
        databases::Databases,
        figures::{median, timed},
        folder::Folder,
        lines::{self, Labels},
        table::{self, Goal, Row},
        tables,
    },
};

/// The numbers of tables in the plot.
const SIZES: [usize; 4] = [10, 100, 1000, 5000];
/// How many tables a small database has.
const FEW: usize = 10;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask bench diff
  cargo xtask bench diff --tables 100         a smaller schema, for a first look
  cargo xtask bench diff --plot FILE          draw the times by number of tables
  cargo xtask bench diff --property 20000     turn random schemas into each other, to find mistakes

The schema has ten columns, four indexes and five constraints a table, and a view for every tenth. In the other one every
tenth table has other columns.

The random pairs of --property have numbers, from --first on, and the same number is the same pair. They have rows, and
pg_dump compares. It shows what a mistake takes, and how many objects of each kind there were.

Exit code 1: a command that it measures failed, or a pair was not turned into each other.")]
pub(super) struct Args {
    /// How many tables the large schemas have
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    tables: u32,
    /// How often to measure each
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Draw the times by number of tables into this SVG file, in place of the table
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Turn this many random pairs of schemas into each other, in place of the table
    #[arg(long, value_name = "N", conflicts_with = "plot")]
    property: Option<u64>,
    /// The number of the first random pair
    #[arg(long, value_name = "N", default_value_t = 0, requires = "property")]
    first: u64,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(super) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        if let Some(pairs) = self.property {
            return turn_random_pairs(self.first, pairs);
        }
        let postgres = checkout.project()?.postgres;
        // Its commands block this process, and an interrupt waits for the end of the one that runs.
        let folder = Folder::create()?;
        let measure = async |server: &TestServer| {
            let bench = Bench { databases: Databases::on(server, &postgres)?, runs: self.runs };
            or_interrupted(self.measure(&bench)).await
        };
        TestServer::with_own(checkout, &postgres, postgres.version, measure).await?;
        drop(folder);
        Ok(())
    }

    async fn measure(&self, bench: &Bench) -> anyhow::Result<()> {
        if let Some(file) = &self.plot {
            return bench.draw(file).await;
        }
        let dump = "pg_dump --schema-only of one";
        bench.make(self.tables as usize).await?;
        let [changed, theirs] = bench.diff_and_dump("old", "new")?;
        let changed = Row::new("diff, a tenth of many tables", changed, dump, theirs, Goal::Ratio(1.5));
        let [equal, theirs] = bench.diff_and_dump("new", "new")?;
        let equal = Row::new("diff, many equal tables", equal, dump, theirs, Goal::Ratio(1.5));
        let [created, theirs] = bench.diff_and_dump("empty", "new")?;
        let created = Row::new("diff, many new tables", created, dump, theirs, Goal::Ratio(1.5));
        bench.make(FEW).await?;
        let [small, theirs] = bench.diff_and_read().await?;
        let small = Row::new("diff, small", small, "reading one, cold", theirs, Goal::Ratio(3.0));
        table::print(&[changed, equal, created, small], self.format);
        Ok(())
    }
}

/// Runs the tests that do so, by cargo alone: other runners end what takes long.
fn turn_random_pairs(first: u64, pairs: u64) -> anyhow::Result<()> {
    let end = first.saturating_add(pairs);
    let test =
        ["test", "--package", "tests", "--test", "it", "--", "--nocapture", "random_schemas_are_turned"];
    let tests = cmd(built::cargo(), test).dir(library()).env("XTASK_PAIRS", format!("{first}..{end}"));
    pass_on(tests.unchecked().run()?.status)
}

struct Bench {
    databases: Databases,
    runs: u32,
}

impl Bench {
    /// Makes two databases with as many tables, and an empty one.
    async fn make(&self, many: usize) -> anyhow::Result<()> {
        self.databases.make("empty", "").await?;
        self.databases.make("old", &tables::schema(many)).await?;
        self.databases.make("new", &(tables::schema(many) + &tables::changes(many))).await
    }

    /// The whole command.
    fn diff(&self, from: &str, to: &str) -> anyhow::Result<Expression> {
        let [from, to] = [from, to].map(|database| self.databases.url(database).to_string());
        Ok(cmd!(this_program()?, "diff", from, to).stdout_null().unchecked())
    }

    fn time_diff(&self, from: &str, to: &str) -> anyhow::Result<Duration> {
        let diff = self.diff(from, to)?;
        let start = Instant::now();
        let ended = diff.run()?.status.code();
        let expected = if from == to { 0 } else { 3 };
        ensure!(ended == Some(expected), "`diff` failed");
        Ok(start.elapsed())
    }

    /// The command, and `pg_dump` of the second database, in turn.
    fn diff_and_dump(&self, from: &str, to: &str) -> anyhow::Result<[Duration; 2]> {
        let dump = self.databases.dump(to)?;
        let mut times: [Vec<Duration>; 2] = Default::default();
        for _ in 0..self.runs {
            times[0].push(self.time_diff(from, to)?);
            times[1].push(timed(&dump)?);
        }
        Ok(times.map(median))
    }

    /// The command, and a reading of one side by a connection of its own, in turn.
    async fn diff_and_read(&self) -> anyhow::Result<[Duration; 2]> {
        let mut times: [Vec<Duration>; 2] = Default::default();
        for _ in 0..self.runs {
            times[0].push(self.time_diff("old", "new")?);
            let start = Instant::now();
            let mut conn = connect(&self.databases.options("old")).await?;
            migrations::schema::read(&mut conn, &[]).await?;
            conn.close().await?;
            times[1].push(start.elapsed());
        }
        Ok(times.map(median))
    }

    /// Draws the time of the command and of `pg_dump` by number of tables.
    async fn draw(&self, file: &std::path::Path) -> anyhow::Result<()> {
        let names = ["a tenth changed", "all new", "pg_dump --schema-only of one"];
        let mut drawn = names.map(|name| Line { name: name.to_owned(), points: Vec::new() });
        for many in SIZES {
            self.make(many).await?;
            let [changed, dump] = self.diff_and_dump("old", "new")?;
            let [created, _] = self.diff_and_dump("empty", "new")?;
            let times = [changed, created, dump];
            let shown = times.map(output::time);
            output::line(&format!(
                "{many:>5} tables   a tenth changed {:>8}   all new {:>8}   pg_dump {:>8}",
                shown[0], shown[1], shown[2]
            ));
            #[expect(clippy::cast_precision_loss, reason = "there are few")]
            for (line, time) in drawn.iter_mut().zip(times) {
                line.points.push((many as f64, time.as_secs_f64() * 1000.0));
            }
        }
        let labels = Labels { title: "From one schema to another", across: "tables", up: "milliseconds" };
        lines::draw(file, labels, drawn.into())?;
        output::line(&format!("drawn: {}", file.display()));
        Ok(())
    }
}
