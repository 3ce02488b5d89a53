//! Folders that last as long as a command.

use std::{
    env, fs,
    ops::Deref,
    path::{Path, PathBuf},
    process,
};

use anyhow::Context as _;
use cluster::folder::{self, Access};

/// A private folder, removed when this is dropped.
pub(crate) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// Creates an empty one. `purpose` is part of its name, which no other one of this process may have.
    pub(crate) fn create(purpose: &str) -> anyhow::Result<TemporaryFolder> {
        let folder = env::temp_dir().join(format!("xtask-{purpose}-{}", process::id()));
        // A killed command with the same process id may have left it.
        let _ = fs::remove_dir_all(&folder);
        folder::ensure(&folder, Access::Private).with_context(|| format!("create {}", folder.display()))?;
        Ok(TemporaryFolder(folder))
    }
}

impl Deref for TemporaryFolder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // A failure leaves a folder of temporary files, and there is no caller here to report it to.
        let _ = fs::remove_dir_all(&self.0);
    }
}
