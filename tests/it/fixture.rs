//! The schema that tests of the engine use, `tests/fixtures`, and databases with it. Only tests of the product use the
//! product's own apps, so a new migration breaks no test of the engine.

use std::path::PathBuf;

use migrations::Project;
use tests::{TestDatabase, workspace_root};

use crate::checkout::FIXTURE;

/// The project whose databases have this schema.
pub(crate) fn databases() -> tests::Project {
    tests::project(FIXTURE)
}

/// Runs a test on a migrated and seeded database of its own.
#[track_caller]
pub(crate) fn with_database(test: impl AsyncFnOnce(&TestDatabase) -> anyhow::Result<()>) {
    databases().with_database(test);
}

/// The folder of the schema.
pub(crate) fn folder() -> PathBuf {
    workspace_root().join(FIXTURE)
}

/// Reads the schema.
pub(crate) fn project() -> Project {
    Project::load(&folder()).unwrap()
}
