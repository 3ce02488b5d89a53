//! The repository that `init` works on, and the folders in it that sqlx would read migrations from.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use migrations::FileName;

use crate::{checkout::Checkout, files::git::Git};

/// Folders that hold other people's files, whether `.gitignore` lists them or not.
const SKIPPED: [&str; 2] = ["target", "node_modules"];
/// What a path says of migrations for another database.
const OTHERS: [&str; 3] = ["sqlite", "mysql", "mariadb"];
/// Folders whose migrations are an app's only if no other folder makes the same tables.
const SECONDARY: [&str; 5] = ["test", "tests", "example", "examples", "fixtures"];

/// A repository.
pub(super) struct Repository {
    /// Its top folder.
    pub(super) root: PathBuf,
    /// `None` if it is in no git repository.
    pub(super) git: Option<Git>,
}

/// A folder with files that sqlx reads as migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    /// Its path below the repository's top, with forward slashes.
    pub(super) path: String,
    /// The names of these files, in the order in which sqlx runs them; a down is behind its up.
    pub(super) files: Vec<String>,
}

impl Repository {
    /// The folder that was named, else the checkout of XTASK_ROOT, else the git repository of the working directory.
    pub(super) fn new(named: Option<&Path>, checkout: &Checkout) -> anyhow::Result<Repository> {
        let root = match named {
            Some(folder) => Some(folder.to_owned()),
            None if checkout.root != checkout.workspace => Some(checkout.root.clone()),
            None => None,
        };
        if let Some(root) = root {
            let root = root.canonicalize().with_context(|| format!("open {}", root.display()))?;
            ensure!(root.is_dir(), "{} is a file; name a folder: --into FOLDER", root.display());
            return Ok(Repository { git: Git::around(&root), root });
        }
        let here = env::current_dir().context("find the working directory")?;
        let Some(git) = Git::around(&here) else {
            bail!(
                "{} is in no git repository, so its top folder is unclear; nothing was written\n  \
                 make one: git init\n  or name the folder: --into FOLDER",
                here.display()
            );
        };
        let root = git.top()?;
        Ok(Repository { git: Git::around(&root), root })
    }

    /// A path below the top folder.
    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// The manifest that is there already.
    pub(super) fn manifest(&self) -> Option<&'static str> {
        ::tests::service::manifest(&self.root)
    }

    /// The folders that people named, or else every one that holds files for sqlx.
    pub(super) fn folders(&self, named: &[PathBuf]) -> anyhow::Result<Vec<Folder>> {
        if named.is_empty() {
            let mut folders = folders(self.files()?);
            folders.sort_by_key(|folder| {
                let parts = folder.path.split('/');
                let secondary = parts.clone().any(|part| SECONDARY.contains(&part));
                (secondary, parts.count(), folder.path.clone())
            });
            return Ok(folders);
        }
        named.iter().map(|folder| self.folder(folder)).collect()
    }

    fn folder(&self, named: &Path) -> anyhow::Result<Folder> {
        // From where the user is, or else from the top of the repository.
        let found = named.canonicalize().or_else(|_| self.root.join(named).canonicalize());
        let found = found.with_context(|| format!("open {}", named.display()))?;
        let Ok(below) = found.strip_prefix(&self.root) else {
            bail!("{} is not in the repository {}", found.display(), self.root.display());
        };
        let below = below.to_string_lossy().into_owned();
        let entries = fs::read_dir(&found).with_context(|| format!("read {}", found.display()))?;
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let files = names.map(|name| format!("{below}/{name}")).collect();
        match folders(files).into_iter().find(|folder| folder.path == below) {
            Some(folder) => Ok(folder),
            None => bail!("{below} has no file that sqlx reads as a migration: NUMBER_NAME.sql"),
        }
    }

    /// The paths of the files below the top folder, without what git ignores.
    fn files(&self) -> anyhow::Result<Vec<String>> {
        match &self.git {
            Some(git) => git.files_here(),
            None => {
                let mut files = Vec::new();
                walk(&self.root, "", &mut files)?;
                Ok(files)
            }
        }
    }
}

impl Folder {
    /// Why its migrations are for another database, judging by its path.
    pub(super) fn other_database(&self) -> Option<&'static str> {
        let parts: Vec<String> = self.path.split(['/', '-', '_']).map(str::to_ascii_lowercase).collect();
        OTHERS.into_iter().find(|other| parts.iter().any(|part| part == other))
    }

    /// The names of its migrations, in their order: each file's name without `.up.sql` or `.sql`.
    pub(super) fn migrations(&self) -> impl Iterator<Item = &str> {
        self.ups().map(|file| file.stem)
    }

    /// The migrations that have no down file.
    pub(super) fn without_down(&self) -> impl Iterator<Item = &str> {
        self.migrations().filter(|name| !self.files.contains(&format!("{name}.down.sql")))
    }

    /// The first migration after all down files that belong to none: as a baseline it makes them history.
    pub(super) fn after_lone_downs(&self) -> Option<&str> {
        let files = || self.files.iter().filter_map(|file| FileName::parse(file));
        let is_lone = |down: &FileName<'_>| down.is_down() && !self.ups().any(|up| up.number == down.number);
        let last = files().rev().find(is_lone)?;
        self.ups().find(|up| up.number > last.number).map(|up| up.stem)
    }

    /// Two migrations of one number: sqlx applies the first, and fails on the second.
    pub(super) fn twins(&self) -> Option<(&str, &str)> {
        let ups: Vec<FileName<'_>> = self.ups().collect();
        let pair = ups.windows(2).find(|pair| pair[0].number == pair[1].number)?;
        Some((pair[0].stem, pair[1].stem))
    }

    /// The file of the migration with this number.
    pub(super) fn file(&self, number: i64) -> Option<&str> {
        let is_meant =
            |file: &&str| FileName::parse(file).is_some_and(|it| !it.is_down() && it.number == number);
        self.files.iter().map(String::as_str).find(is_meant)
    }

    fn ups(&self) -> impl Iterator<Item = FileName<'_>> {
        self.files.iter().filter_map(|file| FileName::parse(file)).filter(|file| !file.is_down())
    }
}

/// The folders with migrations among these files.
pub(super) fn folders(files: Vec<String>) -> Vec<Folder> {
    let mut folders: BTreeMap<String, Vec<(i64, bool, String)>> = BTreeMap::new();
    for file in files {
        let Some((folder, name)) = file.rsplit_once('/') else { continue };
        if folder.split('/').any(|part| SKIPPED.contains(&part)) {
            continue;
        }
        if let Some(file) = FileName::parse(name) {
            let entry = (file.number, file.is_down(), name.to_owned());
            folders.entry(folder.to_owned()).or_default().push(entry);
        }
    }
    let sorted = |(path, mut files): (String, Vec<(i64, bool, String)>)| {
        files.sort();
        Folder { path, files: files.into_iter().map(|(_, _, name)| name).collect() }
    };
    folders.into_iter().map(sorted).collect()
}

fn walk(folder: &Path, below: &str, files: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("read {}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}{name}");
        // A link may lead in a circle.
        let kind = entry.file_type().with_context(|| format!("read {path}"))?;
        if kind.is_file() {
            files.push(path);
        } else if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
            walk(&entry.path(), &format!("{path}/"), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[&str]) -> Vec<Folder> {
        folders(files.iter().map(|file| (*file).to_owned()).collect())
    }

    #[test]
    fn a_folder_is_one_of_migrations_if_sqlx_reads_a_file_in_it() {
        let found = read(&[
            "migrations/10_b.sql",
            "migrations/9_a.up.sql",
            "migrations/9_a.down.sql",
            "migrations/README.md",
            "queries/users.sql",
            "queries/0005.sql",
            "target/x/1_a.sql",
            "web/node_modules/y/1_a.sql",
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].files, ["9_a.up.sql", "9_a.down.sql", "10_b.sql"]);
        assert_eq!(found[0].migrations().collect::<Vec<_>>(), ["9_a", "10_b"]);
        assert_eq!(found[0].without_down().collect::<Vec<_>>(), ["10_b"]);
        assert_eq!(found[0].file(9), Some("9_a.up.sql"));
    }

    #[test]
    fn a_path_may_say_that_it_is_for_another_database() {
        let folder = |path: &str| Folder { path: path.to_owned(), files: Vec::new() };
        assert_eq!(folder("crates/store/migrations-sqlite").other_database(), Some("sqlite"));
        assert_eq!(folder("migrations/SQLite").other_database(), Some("sqlite"));
        assert_eq!(folder("migrations/postgres").other_database(), None);
    }
}
