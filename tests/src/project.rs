//! Whose schema a test gets: the product's, or another project's.

use std::path::{Path, PathBuf};

use sqlx::PgConnection;
use tests_client::{Content, Recipe};

use crate::{database::TestDatabase, run::in_transaction, setup::Setup};

/// A folder of migrations with a manifest, `apps.toml`, that tests get their databases from.
///
/// It hands out what the functions of this crate hand out, and those are short for the product's own project.
#[derive(Debug, Clone, Default)]
pub struct Project {
    folder: Option<PathBuf>,
    database: Option<String>,
}

/// The project in another folder than the product's own `migrations`, relative to the root of the checkout.
///
/// ```no_run
/// tests::project("tests/fixtures").with_database(async |db| {
///     sqlx::query("select 1").execute(db.pool()).await?;
///     Ok(())
/// });
/// ```
pub fn project(folder: impl AsRef<Path>) -> Project {
    Project { folder: Some(folder.as_ref().to_owned()), database: None }
}

/// The product's project in another of its databases, by the name that an app's `database` in the manifest gives.
pub fn in_database(name: &str) -> Project {
    Project::default().in_database(name)
}

impl Project {
    /// The same project in another of its databases.
    #[must_use]
    pub fn in_database(self, name: &str) -> Project {
        Project { database: Some(name.to_owned()), ..self }
    }

    /// Runs a test on a migrated and seeded database of its own.
    ///
    /// # Panics
    /// If the test fails. Its database stays, and the message shows how to open and remove it.
    #[track_caller]
    pub fn with_database(&self, test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>) {
        self.seeded().run(test);
    }

    /// Runs a test in a transaction that is rolled back, as [`crate::with_transaction`].
    ///
    /// # Panics
    /// If the test fails; nothing of it is kept.
    #[track_caller]
    pub fn with_transaction(&self, test: impl AsyncFnOnce(&mut PgConnection) -> anyhow::Result<()>) {
        in_transaction(&self.seeded().recipe, test);
    }

    /// Hands out a migrated and seeded database, as [`crate::database()`].
    ///
    /// # Panics
    /// If there is no database.
    pub async fn database(&self) -> TestDatabase {
        self.seeded().database().await
    }

    /// A migrated and seeded database, as [`Project::with_database`] hands it out.
    pub fn seeded(&self) -> Setup {
        self.setup(Content::Seeded)
    }

    /// A migrated database without reference data.
    pub fn unseeded(&self) -> Setup {
        self.setup(Content::Unseeded)
    }

    /// A database that holds nothing.
    pub fn empty(&self) -> Setup {
        self.setup(Content::Empty)
    }

    /// A database just after one migration, `app/0001_name`, as [`crate::at`].
    pub fn at(&self, migration: &str) -> Setup {
        self.setup(Content::At(migration.to_owned()))
    }

    /// A migrated and seeded database that is cleaned in place for the next test, as [`crate::recycled`].
    pub fn recycled(&self) -> Setup {
        let mut setup = self.seeded();
        setup.recipe.recyclable = true;
        setup
    }

    fn setup(&self, content: Content) -> Setup {
        let mut recipe = Recipe::new(self.folder.clone(), content);
        recipe.database.clone_from(&self.database);
        Setup { recipe }
    }
}

/// Runs a test on a migrated and seeded database of its own.
///
/// # Panics
/// If the test fails. Its database stays, and the message shows how to open and remove it.
#[track_caller]
pub fn with_database(test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>) {
    Project::default().with_database(test);
}

/// Hands out a migrated and seeded database, for a test that runs on a runtime already, as `#[tokio::test]` does. It does not
/// block the runtime, and works on any.
///
/// ```no_run
/// # async fn the_program_starts() {
/// let database = tests::database().await;
/// my_program::start(&database.url()).await;
/// # }
/// # mod my_program { pub async fn start(_url: &str) {} }
/// ```
///
/// The database is removed when it is dropped, also if the process ends before. In a panic it stays, and the output shows how
/// to open and remove it. A test that returns an error does not panic, so nothing is kept of it: [`macro@crate::test`] keeps
/// the database there too.
///
/// # Panics
/// If there is no database.
pub async fn database() -> TestDatabase {
    Project::default().database().await
}

/// Runs a test in a transaction that is rolled back, on a migrated and seeded database that all such tests share. It is the
/// cheapest of all, for tests of nothing but queries.
///
/// It is less realistic than the others: `now()` does not move, deferred constraints are never checked, no other connection
/// sees what the test wrote, sequences move on for all tests, and tests wait for each other's locks. A test that commits
/// fails, and no other test gets that database.
///
/// # Panics
/// If the test fails; nothing of it is kept.
#[track_caller]
pub fn with_transaction(test: impl AsyncFnOnce(&mut PgConnection) -> anyhow::Result<()>) {
    Project::default().with_transaction(test);
}

/// A migrated and seeded database, as [`with_database`] hands it out.
pub fn seeded() -> Setup {
    Project::default().seeded()
}

/// A migrated database without reference data.
pub fn unseeded() -> Setup {
    Project::default().unseeded()
}

/// A database that holds nothing.
pub fn empty() -> Setup {
    Project::default().empty()
}

/// A database as it was just after one migration, `app/0001_name`, for tests of the next one: it has that migration and all
/// that it needs, without reference data.
pub fn at(migration: &str) -> Setup {
    Project::default().at(migration)
}

/// A migrated and seeded database that other tests have had before and will have again, cleaned in place: it allows several
/// times as many tests a second as clones do, for suites of thousands of small tests.
///
/// The service puts every row back. It notices DDL, a sequence that moved on, large objects, prepared transactions and
/// settings of the database, and then removes the database. A test can still see that row versions and statistics have a
/// past. A session that sets `session_replication_role`, or a superuser who alters event triggers, can hide a change from
/// the check.
pub fn recycled() -> Setup {
    Project::default().recycled()
}
