//! The projects of a checkout, each read again whenever one of its files has changed.

use std::{
    collections::HashMap,
    fs, io, mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context;
use migrations::{Error, Project};
use tests_client::{Recipe, manifest_folder};

/// Files are not read again within so short a time: an editor that saves one and a test that starts take longer.
const FRESH: Duration = Duration::from_millis(2);
/// The coarsest time of a change that a file system keeps.
const COARSE: Duration = Duration::from_secs(2);

pub(crate) struct Sources {
    root: PathBuf,
    /// By folder.
    read: Mutex<HashMap<PathBuf, Read>>,
}

struct Read {
    /// One for each database, the main one first.
    projects: Vec<Arc<Project>>,
    seen: Seen,
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

    /// Reads the project of a recipe.
    pub(crate) fn project(&self, recipe: &Recipe) -> anyhow::Result<(Arc<Project>, Freshness)> {
        let folder = match &recipe.project {
            Some(folder) => self.root.join(folder),
            None => manifest_folder(&self.root),
        };
        let (projects, freshness) = self.projects(folder)?;
        let mut postgres = projects[0].postgres.clone();
        if let Some(database) = &recipe.database {
            postgres = postgres.in_database(database)?;
        }
        let found = projects.into_iter().find(|project| project.postgres.database == postgres.database);
        Ok((found.context("find the project of the database")?, freshness))
    }

    /// Reads the projects of a folder, one for each database, the main one first.
    fn projects(&self, folder: PathBuf) -> anyhow::Result<(Vec<Arc<Project>>, Freshness)> {
        let mut all = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(read) = all.get_mut(&folder) {
            let just_checked = now - read.checked < FRESH;
            if just_checked || read.seen.still_holds() {
                read.checked = if just_checked { read.checked } else { now };
                return Ok((read.projects.clone(), Freshness::Unchanged));
            }
        }
        let seen = Seen::look(&folder).with_context(|| format!("read {}", folder.display()))?;
        let (projects, freshness) = match all.get(&folder) {
            Some(read) if read.seen.all == seen.all => (read.projects.clone(), Freshness::Unchanged),
            Some(_) => (load(&folder)?, Freshness::Changed),
            None => (load(&folder)?, Freshness::Unchanged),
        };
        all.insert(folder, Read { projects: projects.clone(), seen, checked: now });
        Ok((projects, freshness))
    }
}

fn load(folder: &Path) -> Result<Vec<Arc<Project>>, Error> {
    let mut main = Project::load(folder)?;
    let others = mem::take(&mut main.others);
    Ok([main].into_iter().chain(others).map(Arc::new).collect())
}

/// The files that a template depends on, and their folders, as they were at one time.
struct Seen {
    all: Vec<(PathBuf, Option<Stamp>)>,
    /// Whether the folders had not changed for a while, so that the next change of one shows in its time.
    settled: bool,
}

/// What changes when a file is written, or when a folder gets or loses a file.
#[derive(PartialEq)]
struct Stamp {
    modified: SystemTime,
    length: u64,
}

impl Stamp {
    /// `None` if there is no such file, as behind the link that an editor makes beside the file that it edits.
    fn read(path: &Path) -> Option<Stamp> {
        let about = fs::metadata(path).ok()?;
        Some(Stamp { modified: about.modified().ok()?, length: about.len() })
    }
}

impl Seen {
    /// Looks at the folder of a project, and at the folders of its apps.
    fn look(project: &Path) -> io::Result<Seen> {
        let now = SystemTime::now();
        let mut seen = Seen { all: Vec::new(), settled: true };
        // It says which version of a package has an app's files.
        let locked = project.parent().unwrap_or(project).join("Cargo.lock");
        let stamp = Stamp::read(&locked);
        seen.all.push((locked, stamp));
        let mut folders = seen.add(project, now)?;
        for (_, folder) in migrations::SourceFile::folders(project).unwrap_or_default() {
            if folder.is_dir() && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        for folder in folders {
            seen.add(&folder, now)?;
        }
        Ok(seen)
    }

    /// Adds a folder with its files, and returns the folders in it.
    fn add(&mut self, folder: &Path, now: SystemTime) -> io::Result<Vec<PathBuf>> {
        // Before its files, so that one that comes meanwhile changes the folder.
        let stamp = Stamp::read(folder);
        let age = stamp.as_ref().and_then(|stamp| now.duration_since(stamp.modified).ok());
        self.settled &= age.is_some_and(|age| age > COARSE);
        self.all.push((folder.to_owned(), stamp));
        let mut folders = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let ends = |ending: &str| name.as_encoded_bytes().ends_with(ending.as_bytes());
            if ends(".down.sql") {
                // No template holds the ways back, and they are half of all files.
            } else if ends(".sql") || ends(".toml") {
                let stamp = Stamp::read(&path);
                self.all.push((path, stamp));
            } else if path.is_dir() {
                folders.push(path);
            }
        }
        Ok(folders)
    }

    /// Whether everything is as it was. It asks for each file, but does not list the folders again.
    fn still_holds(&self) -> bool {
        self.settled && self.all.iter().all(|(path, stamp)| Stamp::read(path) == *stamp)
    }
}

#[cfg(test)]
mod tests {
    use std::{env, process};

    use super::*;

    /// A project whose folders have not changed for a minute.
    fn settled(name: &str) -> PathBuf {
        let project = env::temp_dir().join(format!("tests-sources-{name}-{}", process::id()));
        fs::create_dir_all(project.join("a")).unwrap();
        for file in ["apps.toml", "a/sqlx.toml", "a/0001_first.up.sql", "a/0001_first.down.sql"] {
            fs::write(project.join(file), "one").unwrap();
        }
        for folder in [&project, &project.join("a")] {
            let minute = Duration::from_secs(60);
            fs::File::open(folder).unwrap().set_modified(SystemTime::now() - minute).unwrap();
        }
        project
    }

    #[test]
    fn every_change_of_what_a_template_holds_is_seen_and_no_other() {
        const WRITE: fn(&Path) = |path| fs::write(path, "another").unwrap();
        const REMOVE: fn(&Path) = |path| fs::remove_file(path).unwrap();
        for (file, change, is_seen) in [
            ("apps.toml", WRITE, true),
            ("a/sqlx.toml", WRITE, true),
            ("a/0001_first.up.sql", WRITE, true),
            ("a/0001_first.up.sql", REMOVE, true),
            ("a/0002_second.up.sql", WRITE, true),
            ("a/seed.sql", WRITE, true),
            ("a/0001_first.down.sql", WRITE, false),
        ] {
            let project = settled("changed");
            let seen = Seen::look(&project).unwrap();
            assert!(seen.still_holds());
            change(&project.join(file));
            assert_eq!(!seen.still_holds(), is_seen, "{file}");
            assert_eq!(seen.all != Seen::look(&project).unwrap().all, is_seen, "{file}");
            fs::remove_dir_all(project).unwrap();
        }
    }

    #[test]
    fn a_folder_that_has_just_changed_is_listed_again() {
        let project = settled("recent");
        fs::write(project.join("a/0002_second.up.sql"), "two").unwrap();
        assert!(!Seen::look(&project).unwrap().still_holds());
        fs::remove_dir_all(project).unwrap();
    }
}
