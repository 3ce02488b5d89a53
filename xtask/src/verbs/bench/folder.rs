//! A folder of the benchmark's own.

use std::{env, fs, path::PathBuf, process};

/// A folder that goes with this.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn create() -> anyhow::Result<Folder> {
        let folder = Folder(env::temp_dir().join(format!("xtask-bench-{}", process::id())));
        fs::create_dir(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is a folder of temporary files; there is no caller to report it to.
        let _ = fs::remove_dir_all(&self.0);
    }
}
