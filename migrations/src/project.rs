//! All that the files say: apps, migrations in their one order, seeds. Loading refuses whatever could go wrong later.

use std::{fmt, path::Path, str::FromStr};

use crate::{App, Error, Place, Postgres, Reason, Script, SourceFile, manifest::is_plain, reader};

/// A migration's identity: `billing/0001_initial`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MigrationId {
    /// The app.
    pub app: String,
    /// Number and name: `0001_initial`.
    pub name: String,
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.name)
    }
}

impl FromStr for MigrationId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (app, name) = text.split_once('/').ok_or(())?;
        let valid = is_plain(app) && number_of(name).is_some();
        if valid { Ok(MigrationId { app: app.to_owned(), name: name.to_owned() }) } else { Err(()) }
    }
}

/// A dependency on another migration that a head names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The migration that must come first.
    pub on: MigrationId,
    /// Where the head says so.
    pub place: Place,
}

/// One numbered step of an app.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its identity.
    pub id: MigrationId,
    /// Its number, which is sqlx's version.
    pub number: i64,
    /// The way forward.
    pub up: Script,
    /// The way back.
    pub down: Script,
    /// What its head names.
    pub depends_on: Vec<Dependency>,
    /// Position of its app in [`Project::apps`].
    pub(crate) app: usize,
    /// Positions of the migrations that come before it, each with the reason.
    pub(crate) parents: Vec<(usize, Reason)>,
    /// What sqlx records of it.
    pub(crate) recorded: sqlx::migrate::Migration,
}

impl Migration {
    /// SHA-384 of the up file's bytes, as sqlx records it.
    pub fn checksum(&self) -> &[u8] {
        &self.recorded.checksum
    }
}

/// A set of apps with their migrations and seeds.
#[derive(Debug, Clone)]
pub struct Project {
    /// The package of the program that a deploy runs, for commands that are that program's to carry out.
    pub program: Option<String>,
    /// What the manifest says of Postgres.
    pub postgres: Postgres,
    /// The apps, in the manifest's order.
    pub apps: Vec<App>,
    /// Every migration, in the order in which they run.
    pub migrations: Vec<Migration>,
    /// The seeds, each with its app's name, in the manifest's order.
    pub seeds: Vec<(String, Script)>,
}

impl Project {
    /// Reads a migrations folder: `apps.toml`, and a folder an app.
    ///
    /// # Errors
    /// [`Error::Files`] with every problem there is, [`Error::Cycle`], or [`Error::Read`].
    pub fn load(folder: &Path) -> Result<Project, Error> {
        let shown = folder
            .file_name()
            .map_or_else(|| "migrations".into(), |name| name.to_string_lossy().into_owned());
        Project::from_files(&shown, SourceFile::read_folder(folder)?)
    }

    /// The same from texts, as a program has them that carries its migrations inside. `shown` is the folder's name in
    /// messages.
    ///
    /// # Errors
    /// As [`Project::load`].
    pub fn from_files(shown: &str, files: Vec<SourceFile>) -> Result<Project, Error> {
        reader::read(shown, files)
    }

    /// The app of this name.
    ///
    /// # Errors
    /// [`Error::UnknownApp`], with the nearest name.
    pub fn app(&self, name: &str) -> Result<&App, Error> {
        let names = || self.apps.iter().map(|app| app.name.clone()).collect();
        let found = self.apps.iter().find(|app| app.name == name);
        found.ok_or_else(|| Error::UnknownApp { name: name.to_owned(), apps: names() })
    }

    /// The migrations of one app, by number.
    pub fn migrations_of<'p>(&'p self, app: &str) -> impl Iterator<Item = &'p Migration> {
        self.migrations.iter().filter(move |migration| migration.id.app == app)
    }

    /// The migration of an app that a person means by `0002`, `0002_add` or the whole name.
    ///
    /// # Errors
    /// [`Error::UnknownApp`], [`Error::UnknownMigration`], or [`Error::AmbiguousMigration`].
    pub fn migration(&self, app: &str, name: &str) -> Result<&Migration, Error> {
        let app = self.app(app)?;
        let number: Option<i64> = name.parse().ok();
        if let Some(migration) = self.migrations_of(&app.name).find(|m| Some(m.number) == number) {
            return Ok(migration);
        }
        let all: Vec<&Migration> = self.migrations_of(&app.name).collect();
        let matching: Vec<&Migration> =
            all.iter().copied().filter(|m| !name.is_empty() && m.id.name.starts_with(name)).collect();
        let exact = matching.iter().find(|m| m.id.name == name);
        let names = |of: &[&Migration]| of.iter().map(|m| m.id.name.clone()).collect();
        let (app, name) = (app.name.clone(), name.to_owned());
        match (exact, matching.as_slice()) {
            (Some(migration), _) | (None, [migration]) => Ok(migration),
            (None, []) => Err(Error::UnknownMigration { app, name, names: names(&all) }),
            (None, several) => Err(Error::AmbiguousMigration { app, name, names: names(several) }),
        }
    }

    /// The schemas of the ledger, each once.
    pub fn ledger_schemas(&self) -> Vec<&str> {
        let mut schemas: Vec<&str> =
            self.apps.iter().filter_map(|app| app.ledger.split_once('.')).map(|(s, _)| s).collect();
        schemas.sort_unstable();
        schemas.dedup();
        schemas
    }
}

/// The number of a migration's name, if it is one: four digits, `_`, and lower-case letters, digits and `_`.
pub(crate) fn number_of(name: &str) -> Option<i64> {
    let (digits, rest) = name.split_once('_')?;
    let named =
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let numbered = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_digit());
    if named && numbered { digits.parse().ok().filter(|&number| number > 0) } else { None }
}
