//! sqlx's own test support, as `#[sqlx::test]` uses it, with the migrations of all apps as one `Migrator`.

use std::{
    cell::RefCell,
    env,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use migrations::Project;
use serde::Deserialize;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
    testing::{TestArgs, TestFixture, TestFn},
};

thread_local! {
    /// Of the test of this thread: when it began, what it asks, and after how long that was answered.
    static TEST: RefCell<(Instant, String, Duration)> = RefCell::new((Instant::now(), String::new(), Duration::ZERO));
}

static TESTS: AtomicUsize = AtomicUsize::new(0);

/// Tests that find their database by `DATABASE_URL`.
pub(crate) struct Peer {
    migrator: &'static Migrator,
    seeds: &'static [TestFixture],
}

#[derive(Deserialize)]
pub(crate) struct Request {
    url: String,
}

impl Peer {
    /// The migrations of the checkout of `XTASK_ROOT`; for the life of the process, as a macro would have them.
    pub(crate) fn load(seeds: bool) -> anyhow::Result<Peer> {
        let (migrator, mut fixtures) = load()?;
        if !seeds {
            fixtures.clear();
        }
        Ok(Peer { migrator: Box::leak(Box::new(migrator)), seeds: fixtures.leak() })
    }

    /// One test; how long until its query was answered.
    pub(crate) fn test(&self, query: &str) -> Duration {
        // Its database is named after it.
        let path = format!("bench::{}::{}", std::process::id(), TESTS.fetch_add(1, Relaxed));
        let args = TestArgs { test_path: path.leak(), migrator: Some(self.migrator), fixtures: self.seeds };
        TEST.replace((Instant::now(), query.to_owned(), Duration::ZERO));
        let test: fn(PgPool) -> _ = ask;
        test.run_test(args);
        TEST.with_borrow(|(_, _, answered)| *answered)
    }
}

async fn ask(pool: PgPool) {
    let query = TEST.with_borrow(|(_, query, _)| query.clone());
    if let Err(error) = sqlx::query(AssertSqlSafe(query)).execute(&pool).await {
        panic!("{error}");
    }
    TEST.with_borrow_mut(|(began, _, answered)| *answered = began.elapsed());
}

fn load() -> anyhow::Result<(Migrator, Vec<TestFixture>)> {
    let root = env::var_os("XTASK_ROOT").map_or_else(tests::workspace_root, PathBuf::from);
    let project = Project::load(&root.join("migrations"))?;
    let migrations = (1..).zip(&project.migrations).map(|(number, migration)| {
        let script = &migration.up;
        let (name, text) = (migration.id.to_string(), AssertSqlSafe(script.text.as_str()).into_sql_str());
        Migration::new(number, name.into(), MigrationType::ReversibleUp, text, script.no_transaction)
    });
    let seeds = project
        .seeds
        .iter()
        .map(|seed| TestFixture { path: seed.app.clone().leak(), contents: seed.script.text.clone().leak() });
    Ok((Migrator::with_migrations(migrations.collect()), seeds.collect()))
}

/// Makes a database what every test would make of its own.
pub(crate) fn fill(request: Request) -> anyhow::Result<()> {
    let (migrator, seeds) = load()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut conn = PgConnection::connect(&request.url).await?;
        migrator.run(&mut conn).await?;
        for seed in seeds {
            sqlx::raw_sql(AssertSqlSafe(seed.contents)).execute(&mut conn).await?;
        }
        Ok(conn.close().await?)
    })
}
