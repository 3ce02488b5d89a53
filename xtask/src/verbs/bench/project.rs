//! The files that every project of a benchmark has.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// A project whose database is called `app`.
pub(super) struct Project<'p> {
    root: &'p Path,
    manifest: String,
}

impl Project<'_> {
    /// A project without apps.
    pub(super) fn new(root: &Path) -> Project<'_> {
        Project { root, manifest: "[postgres]\nversion = 15\ndatabase = \"app\"\n".to_owned() }
    }

    /// Adds an app that owns tables and depends on another one, and returns its folder, which has no migrations yet.
    pub(super) fn app(
        &mut self,
        name: &str,
        depends_on: Option<&str>,
        tables: impl Iterator<Item = String>,
    ) -> anyhow::Result<PathBuf> {
        let folder = self.root.join("migrations").join(name);
        fs::create_dir_all(&folder)?;
        let ledger =
            format!("[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.{name}\"\n");
        fs::write(folder.join("sqlx.toml"), ledger)?;
        let quoted = |name: String| format!("\"{name}\"");
        let depends_on = depends_on.map(|other| quoted(other.to_owned())).unwrap_or_default();
        let tables: Vec<String> = tables.map(quoted).collect();
        writeln!(
            self.manifest,
            "\n[[app]]\nname = \"{name}\"\ndepends-on = [{depends_on}]\ntables = [{}]",
            tables.join(", ")
        )?;
        Ok(folder)
    }

    /// Writes the manifest.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        fs::write(self.root.join("migrations/apps.toml"), self.manifest).context("write a project")
    }
}

/// Writes the two files of a migration.
pub(super) fn migration(folder: &Path, number: usize, up: &str, down: &str) -> anyhow::Result<()> {
    for (way, text) in [("up", up), ("down", down)] {
        fs::write(folder.join(format!("{number:04}_made.{way}.sql")), text)?;
    }
    Ok(())
}
