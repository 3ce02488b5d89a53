//! The migrations of a checkout, read again whenever a file of theirs has changed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use anyhow::Context;
use migrations::Project;

/// Within so short a time nobody edits a file and asks for a database.
const FRESH: std::time::Duration = std::time::Duration::from_millis(20);

pub(crate) struct Sources {
    folder: PathBuf,
    read: Mutex<Option<Read>>,
}

struct Read {
    project: Arc<Project>,
    /// Every file with its time and length.
    signature: Vec<(PathBuf, SystemTime, u64)>,
    checked: Instant,
}

impl Sources {
    pub(crate) fn new(folder: PathBuf) -> Sources {
        Sources { folder, read: Mutex::default() }
    }

    /// What the files say now, and whether that is another than before.
    pub(crate) fn project(&self) -> anyhow::Result<(Arc<Project>, bool)> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = read.as_ref().filter(|read| read.checked.elapsed() < FRESH) {
            return Ok((read.project.clone(), false));
        }
        let mut signature = Vec::new();
        sign(&self.folder, &mut signature).with_context(|| format!("read {}", self.folder.display()))?;
        signature.sort_unstable();
        if let Some(read) = read.as_mut().filter(|read| read.signature == signature) {
            read.checked = Instant::now();
            return Ok((read.project.clone(), false));
        }
        let project = Arc::new(Project::load(&self.folder)?);
        let changed = read.is_some();
        *read = Some(Read { project: project.clone(), signature, checked: Instant::now() });
        Ok((project, changed))
    }
}

fn sign(folder: &Path, into: &mut Vec<(PathBuf, SystemTime, u64)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sign(&entry.path(), into)?;
        } else {
            let about = entry.metadata()?;
            into.push((entry.path(), about.modified()?, about.len()));
        }
    }
    Ok(())
}
