//! A temporary folder for one run of the benchmark.

use std::{env, fs, path::PathBuf, process};

use crate::terminal::interrupt::Patience;

/// A folder that is removed when this is dropped. Commands that are timed block this process, so an interrupt waits for the
/// end of the one that runs.
pub(super) struct Folder(pub(super) PathBuf, Patience);

impl Folder {
    pub(super) fn create() -> anyhow::Result<Folder> {
        let folder = Folder(env::temp_dir().join(format!("xtask-bench-{}", process::id())), Patience::new());
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
