//! The migrations of a checkout, read again whenever a file of theirs has changed.

use std::{
    fs,
    hash::{DefaultHasher, Hasher as _},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use migrations::Project;

/// Within so short a time nobody edits a file and asks for a database: to start the program that asks takes longer.
const FRESH: Duration = Duration::from_millis(2);

pub(crate) struct Sources {
    folder: PathBuf,
    read: Mutex<Option<Read>>,
}

struct Read {
    project: Arc<Project>,
    /// Of all files that matter.
    signature: u64,
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
        let signature = sign(&self.folder, 0).with_context(|| format!("read {}", self.folder.display()))?;
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

/// Of every file that a template depends on its name, time and length, in whatever order they come.
fn sign(folder: &Path, above: u64) -> io::Result<u64> {
    let mut all = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        // The way back is in no template, and half of all files.
        if name.as_encoded_bytes().ends_with(b".down.sql") {
            continue;
        }
        let mut hash = DefaultHasher::new();
        hash.write_u64(above);
        hash.write(name.as_encoded_bytes());
        let one = if entry.file_type()?.is_dir() {
            sign(&entry.path(), hash.finish())?
        } else {
            let about = entry.metadata()?;
            hash.write_i64(about.mtime());
            hash.write_i64(about.mtime_nsec());
            hash.write_u64(about.len());
            hash.finish()
        };
        all = all.wrapping_add(one);
    }
    Ok(all)
}
