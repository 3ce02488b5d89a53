//! The projects of a checkout, each read again whenever one of its files has changed.

use std::{
    collections::HashMap,
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

/// Files are not read again within so short a time: an editor that saves one and a test that starts take longer.
const FRESH: Duration = Duration::from_millis(2);
/// The folder of the product's own migrations, below the checkout's root.
const PRODUCT: &str = "migrations";

pub(crate) struct Sources {
    root: PathBuf,
    /// By folder.
    read: Mutex<HashMap<PathBuf, Read>>,
}

struct Read {
    project: Arc<Project>,
    /// Of all files that matter.
    signature: u64,
    checked: Instant,
}

/// Whether files have changed since they were read the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Unchanged,
    Changed,
}

impl Sources {
    /// Of the checkout with this root.
    pub(crate) fn new(root: PathBuf) -> Sources {
        Sources { root, read: Mutex::default() }
    }

    /// Reads a project: its folder is relative to the checkout's root, and `None` means the product.
    pub(crate) fn project(&self, folder: Option<&Path>) -> anyhow::Result<(Arc<Project>, Freshness)> {
        let folder = self.root.join(folder.unwrap_or(Path::new(PRODUCT)));
        let mut all = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.get_mut(&folder);
        if let Some(read) = before.as_ref().filter(|read| read.checked.elapsed() < FRESH) {
            return Ok((read.project.clone(), Freshness::Unchanged));
        }
        let signature = sign(&folder, 0).with_context(|| format!("read {}", folder.display()))?;
        let mut freshness = Freshness::Unchanged;
        if let Some(read) = before {
            if read.signature == signature {
                read.checked = Instant::now();
                return Ok((read.project.clone(), freshness));
            }
            freshness = Freshness::Changed;
        }
        let project = Arc::new(Project::load(&folder)?);
        all.insert(folder, Read { project: project.clone(), signature, checked: Instant::now() });
        Ok((project, freshness))
    }
}

/// Hashes the name, time and length of every file that a template depends on, in whatever order they come.
fn sign(folder: &Path, above: u64) -> io::Result<u64> {
    let mut all = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        // No template holds the ways back, and they are half of all files.
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
