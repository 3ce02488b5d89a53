//! What a test is handed, and what becomes of it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    thread,
};

use anyhow::Context;
use migrations::Report;
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::runtime::Runtime;

use crate::{
    client::Lent,
    content::{Content, Recipe},
    owner::connect,
    protocol::{Line, Loan},
    recycle,
};

/// Connections that one test may open through its pool.
pub(crate) const CONNECTIONS: u32 = 5;

/// A database of one test.
pub struct TestDatabase {
    pool: PgPool,
    url: String,
    options: PgConnectOptions,
}

impl TestDatabase {
    /// A pool of connections to it.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Its connection string, for a test that starts a program of its own.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        self.options.get_database().unwrap_or_default()
    }

    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }
}

/// What a test wants: the content of its database, and whether it is cleaned in place afterwards.
#[derive(Debug, Clone)]
pub struct Setup {
    recipe: Recipe,
}

/// Runs a test on a migrated and seeded database of its own.
///
/// # Panics
/// Where the test fails; the database stays then, and the message says how to open and remove it.
#[track_caller]
pub fn with_database(test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>) {
    seeded().run(test);
}

/// A migrated and seeded database, as [`with_database`] hands it out.
pub fn seeded() -> Setup {
    setup(Content::Seeded)
}

/// A database that holds nothing.
pub fn empty() -> Setup {
    setup(Content::Empty)
}

/// A migrated database without reference data.
pub fn unseeded() -> Setup {
    setup(Content::Unseeded)
}

/// A database as it was just after one migration, `app/0001_name`, for tests of the next one: that migration and all that
/// it needs, without reference data.
pub fn at(migration: &str) -> Setup {
    setup(Content::At(migration.to_owned()))
}

/// A migrated and seeded database that other tests have had before and will have again, cleaned in place: several times the
/// tests a second of clones, for suites of thousands of small ones.
///
/// Every row is put back. DDL, a sequence that moved on, large objects, prepared transactions and settings of the database
/// are noticed, and then the database is thrown away. What a test can tell nevertheless: row versions and statistics are
/// those of a database with a past, and a session setting `session_replication_role` or a superuser who alters event
/// triggers can hide a change from the guard.
pub fn recycled() -> Setup {
    Setup { recipe: Recipe { content: Content::Seeded, recyclable: true } }
}

fn setup(content: Content) -> Setup {
    Setup { recipe: Recipe { content, recyclable: false } }
}

impl Setup {
    /// Borrows such a database from the service of a socket, for something that is no test.
    ///
    /// # Errors
    /// Where the service does not answer, or can't make one.
    pub async fn borrow_from(&self, socket: &Path, name: &str) -> anyhow::Result<Lent> {
        let line = Line::connect(socket).await.context("reach the test server")?;
        Lent::ask(line, &self.recipe, Loan::Own, name).await
    }

    /// Runs a test on such a database of its own.
    ///
    /// # Panics
    /// As [`with_database`].
    #[track_caller]
    pub fn run(self, test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>) {
        let (runtime, name) = (runtime(), test_name());
        let lent = match runtime.block_on(Lent::take(&self.recipe, Loan::Own, &name)) {
            Ok(lent) => lent,
            Err(error) => panic!("no database for this test: {}", Report::new(error.as_ref())),
        };
        // The pool belongs to the runtime.
        let database = runtime.block_on(open(lent.url()));
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(test(&database))));
        if matches!(outcome, Ok(Ok(()))) {
            let given_back = runtime.block_on(async {
                let cleaned = self.recipe.recyclable && recycle::clean(&database.pool).await;
                database.pool.close().await;
                lent.give_back(cleaned).await
            });
            if let Err(error) = given_back {
                panic!("the test passed, and its database could not be removed: {error:#}");
            }
            return;
        }
        runtime.block_on(keep(lent, &name, &database));
        fail(outcome);
    }
}

/// Runs a test in a transaction that is rolled back, on a migrated and seeded database that all such tests share: the
/// cheapest of all, for tests of queries alone.
///
/// It tells less than the others: `now()` stands still, deferred constraints are never checked, what another connection
/// would see can't be asked, sequences move on for everybody, and tests wait for each other's locks. A test that commits
/// nevertheless fails, and nobody else gets that database.
///
/// # Panics
/// Where the test fails; nothing of it is kept.
#[track_caller]
pub fn with_transaction(test: impl AsyncFnOnce(&mut PgConnection) -> anyhow::Result<()>) {
    let (runtime, name) = (runtime(), test_name());
    let recipe = seeded().recipe;
    let lent = match runtime.block_on(Lent::take(&recipe, Loan::Transaction, &name)) {
        Ok(lent) => lent,
        Err(error) => panic!("no database for this test: {}", Report::new(error.as_ref())),
    };
    let in_transaction = async {
        let mut conn = connect(&lent.url().parse()?).await?;
        let mut transaction = conn.begin().await?;
        let id = transaction_id(&mut transaction).await?;
        let outcome = test(&mut transaction).await;
        // In a transaction that failed nothing can be asked, and nothing was committed.
        let committed = transaction_id(&mut transaction).await.is_ok_and(|now| now != id);
        transaction.rollback().await?;
        conn.close().await?;
        if committed { Ok(None) } else { Ok(Some(outcome)) }
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(in_transaction)));
    match outcome {
        Ok(Ok(None)) => {
            // Whatever it wrote is there for good.
            let _ = runtime.block_on(lent.spoilt());
            panic!(
                "this test has ended the transaction that it was given, which with_transaction would have rolled back"
            );
        }
        Ok(Ok(Some(Ok(())))) => {
            let _ = runtime.block_on(lent.give_back(false));
        }
        failed => {
            // It may have ended the transaction before.
            let _ = runtime.block_on(lent.spoilt());
            fail(failed.map(|done: anyhow::Result<_>| done.and_then(|outcome| outcome.unwrap_or(Ok(())))));
        }
    }
}

async fn transaction_id(conn: &mut PgConnection) -> anyhow::Result<String> {
    Ok(sqlx::query_scalar("select pg_current_xact_id()::text").fetch_one(conn).await?)
}

#[track_caller]
fn fail(outcome: thread::Result<anyhow::Result<()>>) {
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error:?}"),
        Err(panic) => resume_unwind(panic),
    }
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a tokio runtime")
}

/// The test harness names its threads after the tests.
fn test_name() -> String {
    thread::current().name().unwrap_or("a test").to_owned()
}

async fn open(url: &str) -> TestDatabase {
    let url = url.to_owned();
    let options: PgConnectOptions = url.parse().expect("a connection string that was made just now");
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options.clone());
    TestDatabase { pool, url, options }
}

#[expect(clippy::print_stderr, reason = "a test's output is how it speaks to people")]
async fn keep(lent: Lent, test: &str, database: &TestDatabase) {
    let name = database.name();
    match lent.keep(test).await {
        Ok(()) => eprintln!(
            "kept the database of this failed test\n  open it:   psql '{}'\n  remove it: psql '{}' --command 'drop database {name}'",
            database.url(),
            database.url().replace(name, "postgres"),
        ),
        Err(error) => eprintln!("the database of this failed test could not be kept: {error:#}"),
    }
}
