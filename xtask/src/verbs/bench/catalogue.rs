//! `cargo xtask bench catalogue`: how long reading and comparing schemas takes, against `pg_dump` and against applying the
//! migrations.

mod made;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args as ClapArgs;
use duct::Expression;
use migrations::schema::Reader;
use serde_json::Value;
use xtask_protocol::plot::Line;

use crate::{
    checkout::Checkout,
    terminal::{format::Format, interrupt::or_interrupted, output},
    throwaway::test_server::TestServer,
    verbs::bench::{
        client::xtask,
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

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask bench catalogue
  cargo xtask bench catalogue --tables 100 --migrations 20    a smaller schema, for a first look
  cargo xtask bench catalogue --plot tests/catalogue.svg      draw the reading by number of tables

The schema has ten columns, four indexes and five constraints a table, and a view for every tenth.

Exit code 1: a command that it measures failed.")]
pub(super) struct Args {
    /// How many tables the schema has that is read
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    tables: u32,
    /// How many migrations are verified; half as many again are adopted
    #[arg(long, value_name = "N", default_value_t = 170, value_parser = clap::value_parser!(u32).range(3..=2_000))]
    migrations: u32,
    /// How often to measure each
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Draw the reading by number of tables into this SVG file, in place of the table
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(super) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let postgres = checkout.project()?.postgres;
        let folder = Folder::create()?;
        let measure = async |server: &TestServer| {
            let bench = Bench { databases: Databases::on(server, &postgres)?, folder: &folder.0 };
            or_interrupted(self.measure(checkout, &bench)).await
        };
        TestServer::with_own(checkout, &postgres, postgres.version, measure).await
    }

    async fn measure(&self, checkout: &Checkout, bench: &Bench<'_>) -> anyhow::Result<()> {
        if let Some(file) = &self.plot {
            return bench.draw(file, self.runs).await;
        }
        let (many, migrations) = (self.tables as usize, self.migrations as usize);
        bench.databases.make("large", &tables::schema(many)).await?;
        let [ours, theirs] = bench.read_and_dump("large", self.runs).await?;
        let limit = Duration::from_millis(15);
        let large = Row::new("read a large schema", ours, "pg_dump --schema-only", theirs, Goal::Ratio(0.5));
        let own = bench.own(checkout, self.runs).await?;
        let [ours, theirs] = own;
        let small = Row::new(
            "read the project's own schema",
            ours,
            "pg_dump --schema-only",
            theirs,
            Goal::Time(limit),
        );
        let (check, select) = bench.check(checkout, self.runs)?;
        let limit = Duration::from_millis(150);
        let check = Row::new("db-check, expected schema kept", check, "db-url", select, Goal::Time(limit));
        let (verify, apply, shares) = bench.verify(migrations, self.runs)?;
        let verify = Row::new("verify", verify, "applying the migrations", apply, Goal::Ratio(5.0));
        let (adopt, apply) = bench.adopt(migrations * 3 / 2, self.runs).await?;
        let adopt = Row::new("adopt", adopt, "applying the migrations", apply, Goal::Ratio(1.5));
        table::print(&[large, small, check, verify, adopt], self.format);
        if self.format == Format::Text {
            output::line("verify spends");
            for (part, share) in shares {
                output::line(&format!("  {:>3.0} %  {part}", share * 100.0));
            }
        }
        Ok(())
    }
}

/// A server for the benchmark alone.
struct Bench<'b> {
    databases: Databases,
    folder: &'b Path,
}

impl Bench<'_> {
    /// A reading of a database on a connection that has read it before, and `pg_dump` of it, in turn.
    async fn read_and_dump(&self, database: &str, runs: u32) -> anyhow::Result<[Duration; 2]> {
        let mut reader = Reader::connect(&self.databases.options(database), &[]).await?;
        let dump = self.databases.dump(database)?;
        // The first reading fills the caches of its session, and has the queries planned.
        reader.read().await?;
        let mut times: [Vec<Duration>; 2] = Default::default();
        for _ in 0..runs {
            let start = Instant::now();
            reader.read().await?;
            times[0].push(start.elapsed());
            times[1].push(timed(&dump)?);
        }
        reader.close().await;
        Ok(times.map(median))
    }

    /// The same for the schema of the project itself.
    async fn own(&self, checkout: &Checkout, runs: u32) -> anyhow::Result<[Duration; 2]> {
        self.databases.recreate("own").await?;
        self.xtask(&checkout.root, "own", &["migrate"])?.stdout_null().run()?;
        self.xtask(&checkout.root, "own", &["seed"])?.stdout_null().run()?;
        self.read_and_dump("own", runs).await
    }

    fn xtask(&self, root: &Path, database: &str, args: &[&str]) -> anyhow::Result<Expression> {
        xtask(root, &self.databases.url(database), args)
    }

    /// `db-check` when what should be is in the cache, and a command that only finds the server.
    fn check(&self, checkout: &Checkout, runs: u32) -> anyhow::Result<(Duration, Duration)> {
        let check = self.xtask(&checkout.root, "own", &["db-check"])?.stdout_null();
        let find = self.xtask(&checkout.root, "own", &["db-url"])?.stdout_null();
        check.run()?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            ours.push(timed(&check)?);
            theirs.push(timed(&find)?);
        }
        Ok((median(ours), median(theirs)))
    }

    /// `verify`, and `migrate` alone; also the share of each of its parts.
    #[expect(clippy::type_complexity, reason = "a list of parts, each with its share")]
    fn verify(
        &self,
        migrations: usize,
        runs: u32,
    ) -> anyhow::Result<(Duration, Duration, Vec<(String, f64)>)> {
        let root = self.folder.join("verified");
        made::project(&root, migrations)?;
        let apply = self.applying(&root, runs)?;
        let verify = self.xtask(&root, "postgres", &["verify", "--format", "json"])?;
        let (mut times, mut report) = (Vec::new(), String::new());
        for _ in 0..runs.min(3) {
            let start = Instant::now();
            report = verify.stderr_null().read()?;
            times.push(start.elapsed());
        }
        let report: Value = serde_json::from_str(&report).context("read the report of verify")?;
        let steps = report["steps"].as_array().cloned().unwrap_or_default();
        let part = |step: &Value| Some((step["what"].as_str()?.to_owned(), step["milliseconds"].as_f64()?));
        let parts: Vec<(String, f64)> = steps.iter().filter_map(part).collect();
        let all: f64 = parts.iter().map(|(_, ms)| ms).sum();
        let shares = parts.into_iter().map(|(part, ms)| (part, ms / all)).filter(|(_, share)| *share >= 0.01);
        Ok((median(times), apply, shares.collect()))
    }

    /// `migrate` on an empty database.
    fn applying(&self, root: &Path, runs: u32) -> anyhow::Result<Duration> {
        let drop = self.xtask(root, "applied", &["db-drop", "--confirm", "applied"])?.stdout_null();
        let mut times = Vec::new();
        for _ in 0..runs.min(3) {
            drop.unchecked().stderr_null().run()?;
            let create = self.databases.program("createdb", ["applied"], "postgres")?;
            create.run().context("create a database")?;
            times.push(timed(&self.xtask(root, "applied", &["migrate"])?.stdout_null())?);
        }
        Ok(median(times))
    }

    /// `adopt` on a database without a ledger, and `migrate` alone.
    async fn adopt(&self, migrations: usize, runs: u32) -> anyhow::Result<(Duration, Duration)> {
        let root = self.folder.join("adopted");
        made::project(&root, migrations)?;
        let apply = self.applying(&root, runs)?;
        let mut times = Vec::new();
        for _ in 0..runs.min(3) {
            self.databases.sql("applied", "drop schema migrations cascade").await?;
            times.push(timed(&self.xtask(&root, "applied", &["adopt"])?.stdout_null())?);
        }
        Ok((median(times), apply))
    }

    /// Draws the time of a reading and of `pg_dump` by number of tables.
    async fn draw(&self, file: &Path, runs: u32) -> anyhow::Result<()> {
        let mut lines = [("cargo xtask", Vec::new()), ("pg_dump --schema-only", Vec::new())];
        for many in SIZES {
            self.databases.make("drawn", &tables::schema(many)).await?;
            let times = self.read_and_dump("drawn", runs).await?;
            let shown = times.map(output::time);
            output::line(&format!("{many:>5} tables   read {:>8}   pg_dump {:>8}", shown[0], shown[1]));
            #[expect(clippy::cast_precision_loss, reason = "there are few")]
            for ((_, points), time) in lines.iter_mut().zip(times) {
                points.push((many as f64, time.as_secs_f64() * 1000.0));
            }
        }
        let drawn = lines.map(|(name, points)| Line { name: name.to_owned(), points }).into();
        let labels =
            Labels { title: "Reading a whole schema, and dumping it", across: "tables", up: "milliseconds" };
        lines::draw(file, labels, drawn)?;
        output::line(&format!("drawn: {}", file.display()));
        Ok(())
    }
}
