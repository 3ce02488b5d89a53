//! `cargo xtask bench growth`: how the time of commands grows with the size of a project.

mod made;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args as ClapArgs;
use duct::Expression;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use url::Url;
use xtask_protocol::plot::Line;

use crate::{
    checkout::Checkout,
    terminal::{format::Format, interrupt::or_interrupted, output},
    throwaway::test_server::TestServer,
    verbs::bench::{
        client::xtask,
        figures::median,
        folder::Folder,
        lines::{self, Labels},
        table::{self, Goal, Row},
    },
};

/// The numbers of migrations in the plot.
const SIZES: [usize; 5] = [100, 400, 1000, 2000, 4000];
const APPS: usize = 20;
/// The commands in the plot and in the table, with their arguments.
const COMMANDS: [(&str, &[&str]); 4] = [
    ("showmigrations", &["showmigrations"]),
    ("showmigrations --plan", &["showmigrations", "--plan"]),
    ("db-check, expected schema kept", &["db-check"]),
    ("graph", &["graph"]),
];

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask bench growth
  cargo xtask bench growth --migrations 200     a smaller project, for a first look
  cargo xtask bench growth --plot FILE          draw the times by number of migrations

It compares each command in a project with itself in one of a fifth of the size: what grows in proportion takes 5 × as long. These figures are processor time of the command, without its server's.

Exit code 1: a command that it measures failed.")]
pub(super) struct Args {
    /// How many migrations the larger project has, over 20 apps
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(100..=20_000))]
    migrations: u32,
    /// How often to run each command
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Draw the times by number of migrations into this SVG file, in place of the table
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
            or_interrupted(self.measure(&Bench { server, folder: &folder.0 })).await
        };
        TestServer::with_own(checkout, &postgres, postgres.version, measure).await
    }

    async fn measure(&self, bench: &Bench<'_>) -> anyhow::Result<()> {
        if let Some(file) = &self.plot {
            return bench.draw(file, self.runs).await;
        }
        let many = self.migrations as usize;
        let small = bench.project("small", |root| made::project(root, many / 5, APPS)).await?;
        let large = bench.project("large", |root| made::project(root, many, APPS)).await?;
        let mut rows = Vec::new();
        for (what, args) in COMMANDS {
            let [ours, theirs] = bench.times([&large, &small], args, self.runs)?;
            rows.push(Row::new(
                what,
                ours.processor,
                "a fifth of the migrations",
                theirs.processor,
                Goal::Ratio(6.0),
            ));
            if what == "showmigrations" {
                let limit = Duration::from_millis(100);
                let (ours, theirs) = (ours.wall, theirs.wall);
                rows.push(Row::new(
                    "showmigrations, wall time",
                    ours,
                    "a fifth of the migrations",
                    theirs,
                    Goal::Time(limit),
                ));
            }
        }
        let half = bench.half_applied(many).await?;
        let [ours, theirs] = bench.times([&half, &large], &["showmigrations"], self.runs)?;
        rows.push(Row::new(
            "showmigrations, one app, half applied",
            ours.processor,
            "over 20 apps, all applied",
            theirs.processor,
            Goal::Ratio(2.0),
        ));
        let texts = [5, 1].map(|fifths| (format!("text{fifths}"), fifths * many * 20, 1));
        let lists = [5, 1].map(|fifths| (format!("list{fifths}"), 1, fifths * many * 20));
        for (what, sizes, peer) in [
            ("showmigrations, a file of many rows", texts, "a fifth of the rows"),
            ("showmigrations, a long list of tables", lists, "a fifth of the tables"),
        ] {
            let mut projects = Vec::new();
            for (name, rows, tables) in sizes {
                projects.push(bench.make(&name, |root| made::large(root, rows, tables)).await?);
            }
            let [ours, theirs] = bench.times([&projects[0], &projects[1]], &["showmigrations"], self.runs)?;
            rows.push(Row::new(what, ours.processor, peer, theirs.processor, Goal::Ratio(6.0)));
        }
        table::print(&rows, self.format);
        Ok(())
    }
}

/// A server for the benchmark alone, and a folder for its projects.
struct Bench<'b> {
    server: &'b TestServer,
    folder: &'b Path,
}

/// A project, and a database of its own.
struct Made {
    root: PathBuf,
    url: Url,
}

/// What a command takes.
#[derive(Clone, Copy)]
struct Time {
    wall: Duration,
    /// Of the processor, in the command's own process.
    processor: Duration,
}

impl Bench<'_> {
    /// Makes a project and an empty database.
    async fn make(&self, name: &str, make: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<Made> {
        let root = self.folder.join(name);
        make(&root)?;
        let mut conn: PgConnection = self.server.options().clone().connect().await?;
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name} template template0")))
            .execute(&mut conn)
            .await?;
        conn.close().await?;
        let mut url = self.server.url().clone();
        url.set_path(name);
        Ok(Made { root, url })
    }

    /// The same, with all of its migrations applied, and with what `db-check` keeps.
    async fn project(
        &self,
        name: &str,
        make: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Made> {
        let made = self.make(name, make).await?;
        for verb in ["migrate", "db-check"] {
            made.xtask(&[verb])?.run()?;
        }
        Ok(made)
    }

    /// A project of one app, half of whose migrations are applied.
    async fn half_applied(&self, migrations: usize) -> anyhow::Result<Made> {
        let made = self.make("half", |root| made::project(root, migrations, 1)).await?;
        made.xtask(&["migrate", "app1", &format!("{:04}", migrations / 2)])?.run()?;
        Ok(made)
    }

    /// The medians of a command in two projects, run in turn.
    fn times(&self, projects: [&Made; 2], args: &[&str], runs: u32) -> anyhow::Result<[Time; 2]> {
        let mut times: [Vec<Time>; 2] = Default::default();
        for _ in 0..runs {
            for (times, made) in times.iter_mut().zip(projects) {
                times.push(made.time(args)?);
            }
        }
        Ok(times.map(|times| Time {
            wall: median(times.iter().map(|time| time.wall).collect()),
            // The system counts in hundredths of a second.
            processor: times.iter().map(|time| time.processor).sum::<Duration>() / runs,
        }))
    }

    /// Draws the processor time of each command by number of migrations.
    async fn draw(&self, file: &Path, runs: u32) -> anyhow::Result<()> {
        let mut drawn = COMMANDS.map(|(name, _)| Line { name: name.to_owned(), points: Vec::new() });
        for size in SIZES {
            let made = self.project(&format!("of{size}"), |root| made::project(root, size, APPS)).await?;
            for (line, (_, args)) in drawn.iter_mut().zip(COMMANDS) {
                let [time, _] = self.times([&made, &made], args, runs)?;
                #[expect(clippy::cast_precision_loss, reason = "there are few")]
                line.points.push((size as f64, time.processor.as_secs_f64() * 1000.0));
            }
            fs::remove_dir_all(&made.root)?;
        }
        let labels = Labels {
            title: "Commands in a project of 20 apps",
            across: "migrations",
            up: "milliseconds of the processor",
        };
        lines::draw(file, labels, drawn.into())?;
        output::line(&format!("drawn: {}", file.display()));
        Ok(())
    }
}

impl Made {
    fn xtask(&self, args: &[&str]) -> anyhow::Result<Expression> {
        Ok(xtask(&self.root, &self.url, args)?.stdout_null())
    }

    fn time(&self, args: &[&str]) -> anyhow::Result<Time> {
        let (start, before) = (Instant::now(), processor_of_children()?);
        self.xtask(args)?.run()?;
        Ok(Time { wall: start.elapsed(), processor: processor_of_children()?.saturating_sub(before) })
    }
}

/// The processor time of all processes that this one has started and that have ended. Only Linux has that figure.
fn processor_of_children() -> anyhow::Result<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/self/stat").context("read the processor time")?;
    // The name, in parentheses, may hold blanks. `cutime` and `cstime` are the 14th and 15th fields behind it.
    let (_, fields) = stat.rsplit_once(')').context("read the processor time")?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<u32>).sum::<Result<u32, _>>()?;
    Ok(TICK * ticks)
}
