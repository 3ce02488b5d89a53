//! The product's own schema, for tests of the product.

use std::path::PathBuf;

use migrations::Project;
use tests::workspace_root;

/// The folder of its migrations, or of a copy if `XTASK_ROOT` names one.
pub(crate) fn folder() -> PathBuf {
    std::env::var_os("XTASK_ROOT").map_or_else(workspace_root, PathBuf::from).join("migrations")
}

/// The schema, read.
pub(crate) fn project() -> Project {
    Project::load(&folder()).unwrap()
}

/// The next free migration of an app: `progress/0002_add_note`.
pub(crate) fn next_migration(app: &str, name: &str) -> String {
    let last = project().migrations_of(app).map(|migration| migration.number).max().unwrap();
    format!("{app}/{:04}_{name}", last + 1)
}
