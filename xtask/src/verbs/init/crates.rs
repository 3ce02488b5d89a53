//! The packages that a repository depends on and that bring migrations of their own.
//!
//! Such a package may run them itself, so `init` only shows how they become an app.

use std::{
    fs,
    path::{Path, PathBuf},
};

use duct::cmd;
use serde::Deserialize;

use crate::{
    helpers::built,
    verbs::init::repository::{Folder, Repository, folders},
};

/// The folder of a package in which its migrations are, or folders of them, one for each sort of database.
const MIGRATIONS: &str = "migrations";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

/// A line for each package with migrations for Postgres. Nothing if cargo can't list the packages without the network.
pub(super) fn lines(repository: &Repository) -> Vec<String> {
    if !repository.path("Cargo.toml").is_file() {
        return Vec::new();
    }
    let lock = repository.path("Cargo.lock");
    let had_lock = lock.exists();
    // Cargo would correct a lock file that is out of date.
    let locked = had_lock.then_some("--locked");
    let args = ["metadata", "--offline", "--format-version", "1"].into_iter().chain(locked);
    let metadata = cmd(built::cargo(), args).dir(&repository.root);
    let metadata = metadata.stdout_capture().stderr_null().unchecked().run();
    if !had_lock {
        // What cargo has just made is not ours to leave there.
        let _ = fs::remove_file(lock);
    }
    let metadata = metadata.ok().and_then(|output| serde_json::from_slice(&output.stdout).ok());
    let Some(Metadata { packages }) = metadata else { return Vec::new() };
    let others = packages.iter().filter(|package| !package.manifest_path.starts_with(&repository.root));
    others.flat_map(Package::lines).collect()
}

impl Package {
    fn lines(&self) -> Vec<String> {
        let Some(folder) = self.manifest_path.parent() else { return Vec::new() };
        let below = entries(&folder.join(MIGRATIONS)).into_iter().map(|name| format!("{MIGRATIONS}/{name}"));
        let below: Vec<String> = below.collect();
        let inner = below.iter().flat_map(|path| {
            entries(&folder.join(path)).into_iter().map(move |name| format!("{path}/{name}"))
        });
        let files = inner.chain(below.iter().cloned()).collect();
        let apps = folders(files).into_iter().filter(|app| app.other_database().is_none());
        apps.map(|app| self.line(&app)).collect()
    }

    fn line(&self, app: &Folder) -> String {
        let path = match app.path.as_str() {
            MIGRATIONS => String::new(),
            path => format!(", path = \"{path}\""),
        };
        format!("{} brings migrations; as an app: crate = \"{}\"{path}", self.name, self.name)
    }
}

/// The names in a folder; none if there is no such folder.
fn entries(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
