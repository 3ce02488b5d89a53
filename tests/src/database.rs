//! What a test is handed, and what becomes of it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::LazyLock,
};

use anyhow::Context;
use migrations::{Project, Prune, SeedMode, Session, Settings, Target};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{Scratch, workspace_root};

/// The variable that names the test server.
const URL: &str = "XTASK_TEST_URL";
/// Connections that one test may open through its pool.
const CONNECTIONS: u32 = 5;

static PROJECT: LazyLock<Result<Project, migrations::Error>> =
    LazyLock::new(|| Project::load(&workspace_root().join("migrations")));

/// A database of one test.
pub struct TestDatabase {
    scratch: Scratch,
    pool: PgPool,
}

impl TestDatabase {
    /// A pool of connections to it.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Its connection string, for a test that starts a program of its own.
    pub fn url(&self) -> String {
        self.scratch.url()
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        self.scratch.name()
    }

    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        self.scratch.options()
    }
}

/// Runs a test on a migrated and seeded database of its own.
///
/// # Panics
/// Where the test fails; the database stays then, and the message says how to open and remove it.
#[track_caller]
pub fn with_database(test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>) {
    run(test, Content::Seeded);
}

/// The same on a database that holds nothing.
///
/// # Panics
/// As [`with_database`].
#[track_caller]
pub fn with_empty_database(test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>) {
    run(test, Content::Empty);
}

/// The test server.
///
/// # Errors
/// Where none is named.
pub fn server() -> anyhow::Result<PgConnectOptions> {
    let url = std::env::var(URL).ok().filter(|url| !url.is_empty());
    let url = url.with_context(|| {
        format!(
            "no test server: {URL} is not set\n  run the tests by `cargo xtask test`, which starts one\n  or name one: \
             {URL}=postgres://user:password@localhost:5432/postgres cargo test"
        )
    })?;
    url.parse().with_context(|| format!("read {URL}"))
}

#[derive(Clone, Copy)]
enum Content {
    Empty,
    Seeded,
}

#[track_caller]
fn run(test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>, content: Content) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a tokio runtime");
    let database = match runtime.block_on(create(content)) {
        Ok(database) => database,
        Err(error) => panic!("no database for this test: {error:#}"),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(test(&database))));
    match outcome {
        Ok(Ok(())) => {
            let discarded = runtime.block_on(async {
                database.pool.close().await;
                database.scratch.discard().await
            });
            if let Err(error) = discarded {
                panic!("the test passed, and its database could not be removed: {error:#}");
            }
        }
        Ok(Err(error)) => {
            tell_kept(&database);
            panic!("{error:?}");
        }
        Err(panic) => {
            tell_kept(&database);
            resume_unwind(panic);
        }
    }
}

#[expect(clippy::print_stderr, reason = "a test's output is how it speaks to people")]
fn tell_kept(database: &TestDatabase) {
    let name = database.name();
    eprintln!(
        "kept the database of this failed test\n  open it:   psql '{}'\n  remove it: psql '{}' --command 'drop database {name}'",
        database.url(),
        database.url().replace(name, "postgres"),
    );
}

async fn create(content: Content) -> anyhow::Result<TestDatabase> {
    let scratch = Scratch::create(&server()?).await?;
    let options = scratch.options();
    if let Content::Seeded = content {
        let project = PROJECT.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut session = Session::connect(&options, Settings::default()).await?;
        session.migrate(project, &Target::Latest, &mut |_| {}).await?;
        session.seed(project, SeedMode::Write, Prune::No, &mut |_| {}).await?;
        session.close().await;
    }
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options);
    Ok(TestDatabase { scratch, pool })
}
