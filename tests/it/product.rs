//! The product's own schema, for tests of the product.

use std::path::PathBuf;

use migrations::Project;
use tests::workspace_root;

/// The folder of its migrations, in `XTASK_ROOT` if that variable is set.
pub(crate) fn folder() -> PathBuf {
    std::env::var_os("XTASK_ROOT").map_or_else(workspace_root, PathBuf::from).join("migrations")
}

/// Loads the project from that folder.
pub(crate) fn project() -> Project {
    Project::load(&folder()).unwrap()
}

/// The next free migration of an app: `progress/0002_add_note`.
pub(crate) fn next_migration(app: &str, name: &str) -> String {
    let last = project().migrations_of(app).map(|migration| migration.number).max().unwrap();
    format!("{app}/{:04}_{name}", last + 1)
}
