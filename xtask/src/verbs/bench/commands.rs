//! Measures whole commands (set-up, a migration with nothing to do, starting the server) and test servers.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use cluster::{Ephemeral, binaries::find_binaries};
use duct::{Expression, cmd};
use migrations::{Postgres, Project};
use url::Url;

use crate::{
    checkout::{Checkout, library},
    files::temporary::TemporaryFolder,
    helpers::built,
    server::{Programs, psql::find_psql},
    terminal::child::this_program,
    verbs::bench::{
        client::client,
        figures::{median, timed},
        loading,
        table::{Goal, Row},
    },
};

/// A server and a state folder for the benchmark alone, removed at the end.
struct Bench {
    folder: TemporaryFolder,
    xtask: PathBuf,
    cargo: OsString,
    psql: PathBuf,
}

impl Bench {
    fn new(checkout: &Checkout) -> anyhow::Result<Bench> {
        let folder = TemporaryFolder::create("bench")?;
        fs::create_dir_all(folder.join("checkout"))?;
        symlink(checkout.migrations(), folder.join("checkout/migrations"))?;
        let xtask = this_program()?;
        let cargo = built::cargo();
        Ok(Bench { folder, xtask, cargo, psql: find_psql(&checkout.project()?.postgres)? })
    }

    /// A command of ours, on the benchmark's server.
    fn xtask(&self, args: &[&str]) -> Expression {
        self.xtask_at("checkout", args)
    }

    /// The same in another checkout of the benchmark's, which has a server of its own.
    fn xtask_at(&self, checkout: &str, args: &[&str]) -> Expression {
        self.in_checkout(checkout, cmd(&self.xtask, args)).stdout_null()
    }

    /// The connection string of the server of a checkout.
    fn url(&self, checkout: &str) -> anyhow::Result<Url> {
        let url = self.in_checkout(checkout, cmd!(&self.xtask, "db-url")).read();
        Ok(Url::parse(&url.context("find the benchmark's server")?)?)
    }

    /// The same command started by cargo, as people type it.
    fn by_cargo(&self, args: &[&str]) -> Expression {
        let words = ["xtask"].into_iter().chain(args.iter().copied());
        self.in_checkout("checkout", cmd(&self.cargo, words)).dir(library()).stdout_null()
    }

    /// With the environment that leads a command to a checkout of the benchmark's, and its server.
    fn in_checkout(&self, checkout: &str, expression: Expression) -> Expression {
        expression
            .env("XTASK_ROOT", self.folder.join(checkout))
            .env("XTASK_SERVER", "native")
            .env("XDG_STATE_HOME", self.folder.join("state"))
    }

    fn psql(&self, url: &Url, database: &str, args: &[OsString]) -> anyhow::Result<Expression> {
        let words = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"].into_iter().map(OsString::from);
        let psql = client(&self.psql, words.chain(args.iter().cloned()), url, database)?;
        Ok(psql.stdout_null())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // A failure leaves a server, and there is no caller here to report it to.
        for checkout in ["checkout", loading::CHECKOUT] {
            let _ = self.xtask_at(checkout, &["server", "stop"]).stderr_null().unchecked().run();
        }
    }
}

/// Measures every command, `runs` times each.
pub(super) async fn measure(checkout: &Checkout, runs: u32) -> anyhow::Result<Vec<Row>> {
    let project = checkout.project()?;
    let bench = Bench::new(checkout)?;
    let mut rows = vec![from_nothing(&bench, &project, runs.min(5)).await?];
    rows.push(from_stopped(&bench, runs)?);
    rows.push(test_server(&bench, &project, runs.min(5)).await?);
    let url = bench.url("checkout")?;
    rows.push(set_up(&bench, &project, &url, runs)?);
    rows.extend(nothing_to_do(&bench, &project, &url, runs)?);
    rows.push(load(&bench, runs)?);
    Ok(rows)
}

/// Creating and starting the native server, against initdb alone.
async fn from_nothing(bench: &Bench, project: &Project, runs: u32) -> anyhow::Result<Row> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(timed(&bench.xtask(&["server", "start"]))?);
        bench.xtask(&["server", "stop"]).run()?;
        fs::remove_dir_all(bench.folder.join("state"))?;
        theirs.push(time_initdb(&bench.folder.join("initdb"), &project.postgres).await?);
        fs::remove_dir_all(bench.folder.join("initdb"))?;
    }
    let goal = Goal::Longer(Duration::from_millis(150));
    Ok(Row::new("server start, from nothing", median(ours), "initdb", median(theirs), goal))
}

/// Starting the stopped native server, until its first answer.
fn from_stopped(bench: &Bench, runs: u32) -> anyhow::Result<Row> {
    let mut ours = Vec::new();
    bench.xtask(&["server", "start"]).run()?;
    for _ in 0..runs {
        bench.xtask(&["server", "stop"]).run()?;
        ours.push(timed(&bench.xtask(&["server", "start"]))?);
    }
    let (ours, limit) = (median(ours), Duration::from_millis(100));
    Ok(Row::new("server start, from stopped", ours, "its goal", limit, Goal::Time(limit)))
}

/// Starting a test server from nothing, until its first answer, against the `initdb` that its cache saves.
async fn test_server(bench: &Bench, project: &Project, runs: u32) -> anyhow::Result<Row> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // The first start may fill the cache.
    time_test_server(&project.postgres).await?;
    for _ in 0..runs {
        ours.push(time_test_server(&project.postgres).await?);
        theirs.push(time_initdb(&bench.folder.join("initdb"), &project.postgres).await?);
        fs::remove_dir_all(bench.folder.join("initdb"))?;
    }
    let goal = Goal::Time(Duration::from_millis(200));
    Ok(Row::new("test server, to its first answer", median(ours), "initdb", median(theirs), goal))
}

/// `db-setup` on a running server, against psql that creates the database and runs the same SQL.
fn set_up(bench: &Bench, project: &Project, url: &Url, runs: u32) -> anyhow::Result<Row> {
    let scripts = project
        .migrations
        .iter()
        .map(|migration| &migration.up)
        .chain(project.seeds.iter().map(|seed| &seed.script));
    let scripts: Vec<_> = scripts.collect();
    // Not for a project with a migration that can't run in one.
    let whole = scripts.iter().all(|script| !script.no_transaction);
    let mut all: Vec<OsString> = if whole { vec!["--single-transaction".into()] } else { Vec::new() };
    for script in scripts {
        let file = bench.folder.join("checkout").join(&script.path);
        all.extend(["--file".into(), file.into_os_string()]);
    }
    let ours = bench.xtask(&["db-setup"]);
    let create = bench.psql(url, "postgres", &["--command".into(), "create database peer".into()])?;
    let fill = bench.psql(url, "peer", &all)?;
    let drop = bench.psql(url, "postgres", &["--command".into(), "drop database if exists peer".into()])?;
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        bench.xtask(&["db-drop"]).run()?;
        our_times.push(timed(&ours)?);
        drop.run()?;
        their_times.push(timed(&create)? + timed(&fill)?);
    }
    let (ours, theirs) = (median(our_times), median(their_times));
    Ok(Row::new(
        "db-setup, server running",
        ours,
        "psql: create database, the same SQL",
        theirs,
        Goal::Ratio(1.5),
    ))
}

/// `migrate` with nothing to do, directly and started by cargo.
fn nothing_to_do(bench: &Bench, project: &Project, url: &Url, runs: u32) -> anyhow::Result<[Row; 2]> {
    let select = bench.psql(url, &project.postgres.database, &["--command".into(), "select 1".into()])?;
    let (direct, by_cargo) = (bench.xtask(&["migrate"]), bench.by_cargo(&["migrate"]));
    let start = bench.by_cargo(&["--help"]);
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..runs {
        for (times, command) in times.iter_mut().zip([&direct, &by_cargo, &select, &start]) {
            times.push(timed(command)?);
        }
    }
    let [direct, by_cargo, select, start] = times.map(median);
    Ok([
        Row::new("migrate, nothing to do", direct, "psql --command 'select 1'", select, Goal::Ratio(2.0)),
        Row::new(
            "cargo xtask migrate, nothing to do",
            by_cargo,
            "cargo xtask --help",
            start,
            Goal::Longer(2 * select),
        ),
    ])
}

/// `loaddata` on the server of another checkout, over its Unix socket, against psql.
fn load(bench: &Bench, runs: u32) -> anyhow::Result<Row> {
    let xtask = |args: &[&str]| bench.xtask_at(loading::CHECKOUT, args);
    loading::project(&bench.folder.join(loading::CHECKOUT))?;
    xtask(&["db-setup"]).run()?;
    let url = bench.url(loading::CHECKOUT)?;
    let rows = bench.folder.join("rows.sql");
    fs::write(&rows, loading::rows())?;
    let words = ["--single-transaction".into(), "--file".into(), rows.into_os_string()];
    let fill = bench.psql(&url, loading::DATABASE, &words)?;
    fill.run()?;
    let dump = bench.folder.join("dump").into_os_string();
    let dump = dump.into_string().map_err(|_| anyhow!("the folder of temporary files is not UTF-8"))?;
    xtask(&["dumpdata", "--output", &dump]).run()?;
    let load = xtask(&["loaddata", "--replace", "--confirm", loading::DATABASE, &dump]);
    loading::measure(&load, &fill, runs)
}

/// How long initdb alone takes. It creates a data directory in `folder`.
async fn time_initdb(folder: &Path, postgres: &Postgres) -> anyhow::Result<Duration> {
    let binaries = find_binaries(postgres.version, None)?;
    let start = Instant::now();
    cluster::init_data(folder, &binaries, &postgres.main, "password").await?;
    Ok(start.elapsed())
}

/// How long a test server takes from nothing to its first answer.
async fn time_test_server(postgres: &Postgres) -> anyhow::Result<Duration> {
    let server = Ephemeral::start(&Programs::OfThisMachine, postgres.version, &postgres.main).await?;
    let elapsed = server.elapsed();
    server.stop().await?;
    Ok(elapsed)
}
