//! What a test is handed.

use std::{sync::OnceLock, thread};

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tests_client::{Loan, Recipe, Usage};

use crate::{
    local::{self, Maker},
    recycle::{self, Cleaned},
    scratch,
};

/// Connections that one test may open through its pool.
pub(crate) const CONNECTIONS: u32 = 5;

/// A database of one test.
///
/// It is removed when this is dropped or the process ends. If it is dropped in a panic it stays, and the output shows how to
/// open and remove it.
pub struct TestDatabase {
    // In the order of their ends: a database goes faster when no connection to it is open.
    pool: OnceLock<PgPool>,
    lent: Lent,
    options: PgConnectOptions,
}

impl TestDatabase {
    /// Takes one, which may block for as long as it takes to start a server.
    pub(crate) fn take(recipe: &Recipe, test: &str) -> anyhow::Result<TestDatabase> {
        let lent = Lent::take(recipe, Usage::Own, test)?;
        let options = scratch::options(lent.url())?;
        Ok(TestDatabase { pool: OnceLock::new(), lent, options })
    }

    /// A pool of connections to it, which opens none before it is used. It belongs to the tokio runtime of the first call.
    pub fn pool(&self) -> &PgPool {
        let options = PgPoolOptions::new().max_connections(CONNECTIONS);
        self.pool.get_or_init(|| options.connect_lazy_with(self.options.clone()))
    }

    /// Its connection string, for a test that starts a program or uses another driver.
    pub fn url(&self) -> String {
        self.lent.url().to_owned()
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        self.options.get_database().unwrap_or_default()
    }

    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Gives it back after a test that passed; cleaned, if its recipe says so and that succeeds.
    pub(crate) async fn give_back(self, recipe: &Recipe) -> anyhow::Result<()> {
        let cleaned = if recipe.recyclable { recycle::clean(self.pool()).await } else { Cleaned::No };
        if let Some(pool) = self.pool.get() {
            pool.close().await;
        }
        match cleaned {
            Cleaned::Yes => self.lent.give_back_cleaned(),
            Cleaned::No => self.lent.give_back(),
        }
    }
}

/// A loan, and the thread that serves it if no service does.
pub(crate) struct Lent {
    // In the order of their ends: the thread waits for the end of the loan.
    loan: Loan,
    maker: Maker,
}

impl Lent {
    /// Takes a database from a service; if none answers, from the server that is named.
    pub(crate) fn take(recipe: &Recipe, usage: Usage, test: &str) -> anyhow::Result<Lent> {
        let (loan, maker) = match recipe.lend_for(usage, test)? {
            Some(loan) => (loan, Maker::none()),
            None => local::lend(recipe, usage, test)?,
        };
        Ok(Lent { loan, maker })
    }

    pub(crate) fn url(&self) -> &str {
        self.loan.url()
    }

    pub(crate) fn give_back(self) -> anyhow::Result<()> {
        drop(self.loan);
        self.maker.finish()
    }

    fn give_back_cleaned(self) -> anyhow::Result<()> {
        // A service that was killed meanwhile gets nothing back, and that is no fault of the test.
        let _ = self.loan.give_back_cleaned();
        self.maker.finish()
    }
}

/// The name of the current test: the test harness names its threads after the tests.
pub(crate) fn test_name() -> String {
    thread::current().name().unwrap_or("a test").to_owned()
}
