//! Runs a test on its database, on a runtime of its own.

use std::{env, fmt};

use anyhow::anyhow;
use migrations::Report;
use sqlx::{Connection, PgConnection};
use tests_client::{Recipe, Usage};
use tokio::runtime::Runtime;

use crate::{
    database::{Lent, TestDatabase, test_name},
    owner::connect,
    scratch,
};

/// Runs a test on a database of its own. A panic, also the one about its error, keeps the database.
#[track_caller]
pub(crate) fn on_database(recipe: &Recipe, test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>) {
    let runtime = runtime();
    let database = match TestDatabase::take(recipe, &test_name()) {
        Ok(database) => database,
        Err(error) => no_database(&error),
    };
    if let Err(error) = runtime.block_on(test(&database)) {
        panic!("{}", Failed(&error));
    }
    if let Err(error) = runtime.block_on(database.give_back(recipe)) {
        panic!("the test passed, and its database could not be removed: {error:#}");
    }
}

/// Runs a test in a transaction that is rolled back. After a panic no other test gets its database.
#[track_caller]
pub(crate) fn in_transaction(
    recipe: &Recipe,
    test: impl AsyncFnOnce(&mut PgConnection) -> anyhow::Result<()>,
) {
    let runtime = runtime();
    let lent = match Lent::take(recipe, Usage::Transaction, &test_name()) {
        Ok(lent) => lent,
        Err(error) => no_database(&error),
    };
    let rolled_back = async {
        let mut conn = connect(&scratch::options(lent.url())?).await?;
        let mut transaction = conn.begin().await?;
        let id = transaction_id(&mut transaction).await?;
        let outcome = test(&mut transaction).await;
        // A transaction that failed answers no query, and has committed nothing.
        let committed = transaction_id(&mut transaction).await.is_ok_and(|now| now != id);
        transaction.rollback().await?;
        conn.close().await?;
        if committed {
            return Err(anyhow!(
                "this test has ended the transaction that it was given, which with_transaction would have rolled back"
            ));
        }
        outcome
    };
    if let Err(error) = runtime.block_on(rolled_back) {
        panic!("{}", Failed(&error));
    }
    // The test passed, whatever becomes of the database.
    let _ = lent.give_back();
}

async fn transaction_id(conn: &mut PgConnection) -> anyhow::Result<String> {
    Ok(sqlx::query_scalar("select pg_current_xact_id()::text").fetch_one(conn).await?)
}

/// Fails the test before it began.
#[track_caller]
pub(crate) fn no_database(error: &anyhow::Error) -> ! {
    panic!("no database for this test: {}", Report::new(error.as_ref()))
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a tokio runtime")
}

/// The error of a failed test. A backtrace leads through the runner's calls and would bury it, so it follows only if
/// RUST_BACKTRACE is `full`.
struct Failed<'e>(&'e anyhow::Error);

impl fmt::Display for Failed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Report::new(self.0.as_ref()))?;
        match env::var_os("RUST_BACKTRACE") {
            Some(value) if value == "full" => write!(f, "\n\n{}", self.0.backtrace()),
            _ => Ok(()),
        }
    }
}
