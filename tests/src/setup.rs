//! A database as a test asks for it, and the ways to get it.

use std::{path::Path, thread};

use anyhow::anyhow;
use tests_client::Recipe;
use tokio::sync::oneshot;

use crate::{
    borrowed::Borrowed,
    database::{TestDatabase, test_name},
    run::{no_database, on_database},
};

/// A database as a test asks for it: the project, the content, and whether it is cleaned in place afterwards.
#[derive(Debug, Clone)]
#[must_use = "it is a description; `run` or `database` gets the database"]
pub struct Setup {
    pub(crate) recipe: Recipe,
}

impl Setup {
    /// Runs a test on such a database of its own, on a runtime of its own: for a plain `#[test]`.
    ///
    /// # Panics
    /// If there is no database or the test fails. In a test that fails the database stays, and the output shows how to open
    /// and remove it.
    #[track_caller]
    pub fn run(self, test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>) {
        on_database(&self.recipe, test);
    }

    /// Hands out such a database without blocking the runtime, as [`crate::database()`] does. At its end it is removed, also if
    /// it is [`crate::recycled`]: a drop can't clean it.
    ///
    /// # Panics
    /// If there is no database.
    pub async fn database(self) -> TestDatabase {
        let (sender, receiver) = oneshot::channel();
        let test = test_name();
        // A thread rather than a task: it works on any runtime. If the test is gone, so is the database.
        thread::spawn(move || drop(sender.send(TestDatabase::take(&self.recipe, &test))));
        let taken = receiver.await.unwrap_or_else(|_| Err(anyhow!("the thread that asks for it panicked")));
        taken.unwrap_or_else(|error| no_database(&error))
    }

    /// Borrows such a database from the service of a socket, for a command that is no test.
    ///
    /// # Errors
    /// If the service does not answer, or can't make one.
    pub async fn borrow_from(&self, socket: &Path, name: &str) -> anyhow::Result<Borrowed> {
        Borrowed::from_socket(socket, &self.recipe, name).await
    }
}
