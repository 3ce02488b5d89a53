//! A checkout with a chosen number of migrations, its own test server, and the program that runs tests on it.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use duct::{Expression, cmd};
use migrations::Project;
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::sleep;
use url::Url;
use xtask_protocol::{
    Reply, Request,
    bench::{self, Fill, HandOut, HandOutTimes, Suite, SuiteTimes},
};

use crate::{
    checkout::{Checkout, ROOT, ServerChoice, library},
    helpers::{built, helper::line},
    terminal::{child::this_program, output},
    throwaway::process::ServiceProcess,
    verbs::bench::folder::Folder,
};

/// The package of the program that runs the tests.
const PACKAGE: &str = "xtask-bench";
/// The database that has everything a test's database has.
pub(super) const FILLED: &str = "bench_filled";
/// The database for bare connections; earlier ones have warmed it up.
pub(super) const WARM: &str = "bench_warm";
/// How long the service may replace the databases that it lent.
const PAUSE_MS: u64 = 100;

/// How a test gets its database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Design {
    Seeded,
    Recycled,
    Transaction,
    /// A clone that the test makes itself, without the service.
    OnDemand,
    /// `#[sqlx::test]`, which runs the migrations and seeds.
    Replay,
    /// `#[sqlx::test]` where `template1` has them.
    Template1,
}

impl Design {
    pub(super) const ALL: [Design; 6] = [
        Design::Seeded,
        Design::Recycled,
        Design::Transaction,
        Design::OnDemand,
        Design::Replay,
        Design::Template1,
    ];

    /// As the program knows it: without a service, it clones by itself.
    fn of_program(self) -> bench::Design {
        match self {
            Design::Seeded | Design::OnDemand => bench::Design::Seeded,
            Design::Recycled => bench::Design::Recycled,
            Design::Transaction => bench::Design::Transaction,
            Design::Replay => bench::Design::Replay,
            Design::Template1 => bench::Design::Template1,
        }
    }
}

/// The place where a benchmark runs.
pub(super) struct Stage {
    pub(super) checkout: Checkout,
    pub(super) host: ServiceProcess,
    program: PathBuf,
    query: String,
}

impl Stage {
    /// Starts a server for a copy of the checkout that has at least this many migrations.
    pub(super) async fn open(
        checkout: &Checkout,
        folder: &Folder,
        kind: ServerChoice,
        migrations: usize,
    ) -> anyhow::Result<Stage> {
        let checkout = grown(checkout, &folder.0.join(migrations.to_string()), kind, migrations)?;
        let host = ServiceProcess::start(&checkout, output::remark).await?;
        let project = checkout.project()?;
        let table = project.apps.iter().flat_map(|app| &app.tables).next().context("no app owns a table")?;
        let query = format!("select count(*) from {table}");
        let stage = Stage { checkout, host, program: built::program(library(), PACKAGE)?, query };
        stage.sql(&[&format!("create database {FILLED} template template0")]).await?;
        stage.ask(&Fill { url: stage.url(FILLED)?.into() }, Design::Replay)?;
        stage.sql(&[&format!("create database {WARM} template {FILLED}")]).await?;
        Ok(stage)
    }

    /// The connection string of a database on its server.
    pub(super) fn url(&self, database: &str) -> anyhow::Result<Url> {
        let mut url: Url = self.host.url.parse().context("read the test server's URL")?;
        url.set_path(database);
        Ok(url)
    }

    /// Runs a suite of tests in one process, `at_once` at a time.
    pub(super) async fn suite(
        &self,
        design: Design,
        tests: usize,
        at_once: usize,
    ) -> anyhow::Result<SuiteTimes> {
        self.prepare(design).await?;
        self.tests(design, tests, at_once)
    }

    /// Runs each test in its own process. Returns how long all of them took.
    pub(super) async fn processes(
        &self,
        design: Design,
        tests: usize,
        at_once: usize,
    ) -> anyhow::Result<Duration> {
        self.prepare(design).await?;
        let began = Instant::now();
        thread::scope(|scope| {
            let one_after_another = |thread: usize| {
                (thread..tests).step_by(at_once).try_for_each(|_| self.tests(design, 1, 1).map(drop))
            };
            let threads: Vec<_> =
                (0..at_once).map(|thread| scope.spawn(move || one_after_another(thread))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
        })?;
        Ok(began.elapsed())
    }

    fn tests(&self, design: Design, tests: usize, at_once: usize) -> anyhow::Result<SuiteTimes> {
        let request = Suite { design: design.of_program(), tests, at_once, query: self.query.clone() };
        self.ask(&request, design)
    }

    /// Takes databases from a service that has some ready, in turn with bare connections.
    pub(super) async fn hand_outs(&self, runs: usize) -> anyhow::Result<HandOutTimes> {
        self.settle().await?;
        let url = self.url(WARM)?.into();
        self.ask(&HandOut { url, runs, query: self.query.clone(), pause_ms: PAUSE_MS }, Design::Seeded)
    }

    /// Sends a request to the program, and returns its answer.
    pub(super) fn ask<Q: Request>(&self, request: &Q, design: Design) -> anyhow::Result<Q::Answer> {
        let mut program = cmd!(&self.program, Q::VERB)
            .env(tests::service::SERVER, &self.host.url)
            .env("DATABASE_URL", &self.host.url);
        if design != Design::OnDemand {
            program = program.env(tests::service::SERVICE, &self.host.socket);
        }
        ask(program, &self.checkout, request)
    }

    /// Runs statements in the database `postgres`.
    pub(super) async fn sql(&self, statements: &[&str]) -> anyhow::Result<()> {
        let options: PgConnectOptions = self.url("postgres")?.as_str().parse()?;
        let mut conn = PgConnection::connect_with(&options).await?;
        for statement in statements {
            sqlx::query(AssertSqlSafe(*statement))
                .execute(&mut conn)
                .await
                .with_context(|| (*statement).to_owned())?;
        }
        Ok(conn.close().await?)
    }

    /// Waits until the server is idle, and fills `template1` with what new databases should inherit in this design.
    async fn prepare(&self, design: Design) -> anyhow::Result<()> {
        self.settle().await?;
        let template = match design {
            Design::Replay => "template0",
            Design::Template1 => FILLED,
            _ => return Ok(()),
        };
        self.sql(&[
            "alter database template1 is_template false",
            "drop database template1",
            &format!("create database template1 template {template} is_template true"),
        ])
        .await
    }

    /// Waits until no database is created or removed any more.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        let options = self.url("postgres")?.as_str().parse()?;
        let mut before = 0;
        loop {
            let now = tests::scratch::databases(&options).await?.len();
            if now == before {
                return Ok(());
            }
            before = now;
            sleep(Duration::from_millis(PAUSE_MS)).await;
        }
    }
}

/// Measures the first query of a test that finds no service and starts one, in a fresh checkout.
pub(super) fn first_of_all(
    checkout: &Checkout,
    folder: &Folder,
    kind: ServerChoice,
) -> anyhow::Result<Duration> {
    let fresh = grown(checkout, &folder.0.join("fresh"), kind, 0)?;
    let this = this_program()?;
    let request = Suite { design: bench::Design::Seeded, tests: 1, at_once: 1, query: "select 1".to_owned() };
    let first = cmd!(built::program(library(), PACKAGE)?, Suite::VERB).env("XTASK_BIN", &this);
    let first = ask(first, &fresh, &request);
    in_checkout(cmd!(this, "server", "sweep"), &fresh).stdout_null().run()?;
    fs::remove_dir_all(&fresh.root)?;
    Ok(Duration::from_secs_f64(first?.first_query_ms.first().copied().unwrap_or_default() / 1000.0))
}

/// Sets the environment that leads a program to this checkout and its choice of server.
fn in_checkout(program: Expression, checkout: &Checkout) -> Expression {
    // In duct the innermost call wins, so a variable that the caller set survives its removal here.
    [tests::service::SERVER, tests::service::SERVICE, "DATABASE_URL"]
        .into_iter()
        .fold(program, |program, variable| program.env_remove(variable))
        .env(ROOT, &checkout.root)
        .env("XTASK_SERVER", checkout.asked_for().unwrap_or_default())
}

/// Sends a request to the program, and waits for its answer.
fn ask<Q: Request>(program: Expression, checkout: &Checkout, request: &Q) -> anyhow::Result<Q::Answer> {
    let program = in_checkout(program, checkout).stdin_bytes(line(request)?);
    let reply = program.unchecked().read().with_context(|| format!("run {PACKAGE} {}", Q::VERB))?;
    match serde_json::from_str(&reply).with_context(|| format!("understand {PACKAGE} {}", Q::VERB))? {
        Reply::Answer(answer) => Ok(answer),
        Reply::Error(refusal) => Err(refusal).with_context(|| format!("run {PACKAGE} {}", Q::VERB)),
    }
}

/// Copies a checkout's migrations and adds more until there are `migrations`: they add and drop a column in turn.
pub(super) fn grown(
    checkout: &Checkout,
    root: &Path,
    kind: ServerChoice,
    migrations: usize,
) -> anyhow::Result<Checkout> {
    let project = checkout.project()?;
    let (from, to) = (checkout.migrations(), root.join("migrations"));
    copy(&from.join("apps.toml"), &to.join("apps.toml"))?;
    for app in &project.apps {
        for entry in fs::read_dir(from.join(&app.name))? {
            let entry = entry?;
            copy(&entry.path(), &to.join(&app.name).join(entry.file_name()))?;
        }
    }
    add_migrations(&project, &to, migrations.saturating_sub(project.migrations.len()))?;
    checkout.at(root, kind)
}

fn add_migrations(project: &Project, folder: &Path, more: usize) -> anyhow::Result<()> {
    let owner = project.apps.iter().rev().find_map(|app| Some((&app.name, app.tables.first()?)));
    let (app, table) = owner.context("no app owns a table")?;
    let last = project.migrations_of(app).map(|migration| migration.number).max().unwrap_or(0);
    let (add, remove) = (
        format!("alter table {table} add column grown text;\n"),
        format!("alter table {table} drop column grown;\n"),
    );
    for (number, pair) in (last + 1..).zip([(&add, &remove), (&remove, &add)].into_iter().cycle().take(more))
    {
        for (way, text) in [("up", pair.0), ("down", pair.1)] {
            fs::write(folder.join(app).join(format!("{number:04}_grown.{way}.sql")), text)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::copy(from, to).with_context(|| format!("copy {}", from.display()))?;
    Ok(())
}
