//! A temporary folder for one run of the benchmark.

use std::{env, fs, path::PathBuf, process};

/// A folder that is removed when this is dropped.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn create() -> anyhow::Result<Folder> {
        let folder = Folder(env::temp_dir().join(format!("xtask-bench-{}", process::id())));
        fs::create_dir(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A failure leaves a folder of temporary files, and there is no caller here to report it to.
        let _ = fs::remove_dir_all(&self.0);
    }
}
