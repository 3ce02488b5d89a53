//! Everything that can go wrong, as types: what, where, and the remedy last.

use std::{fmt, io, time::Duration};

use sqlx::migrate::MigrateError;

use crate::{
    Cycle, Failure, Holder, LedgerProblem, MigrationId, Place, describe::describe, nearest::suggestion,
};

/// Why an operation did not succeed. Its text is made for people: several lines where that helps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder of the project could not be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file or folder.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The files contradict the rules; all problems at once.
    #[error("{}; nothing was touched{}", count(.0.len(), "problem in the migration files", "problems in the migration files"), lines(.0))]
    Files(Vec<Problem>),
    /// The migrations wait for each other in a circle.
    #[error("{0}")]
    Cycle(Box<Cycle>),
    /// The ledger contradicts the files; all problems at once.
    #[error("the ledger and the files disagree; nothing was touched{}", lines(.0))]
    Ledger(Vec<LedgerProblem>),
    /// No app has this name.
    #[error("there is no app `{name}`{}\n  apps: {}", suggestion(name, apps), apps.join(", "))]
    UnknownApp {
        /// What was asked for.
        name: String,
        /// The apps that there are.
        apps: Vec<String>,
    },
    /// No migration of the app has this name.
    #[error(
        "app `{app}` has no migration `{name}`{}\n  its migrations: {}",
        suggestion(name, names),
        listed(names)
    )]
    UnknownMigration {
        /// The app.
        app: String,
        /// What was asked for.
        name: String,
        /// The migrations that there are.
        names: Vec<String>,
    },
    /// More than one migration of the app begins like this.
    #[error(
        "app `{app}` has more than one migration `{name}`\n  write more of one of them: {}",
        listed(names)
    )]
    AmbiguousMigration {
        /// The app.
        app: String,
        /// What was asked for.
        name: String,
        /// Those that begin like it.
        names: Vec<String>,
    },
    /// A statement of a migration or seed failed.
    #[error("{0}")]
    Failed(Box<Failure>),
    /// A migration without a transaction left an index that Postgres does not use.
    #[error("migration {migration} left an index that is not valid: {}\n  run the same command again: it drops the index and builds it anew", indexes.join(", "))]
    InvalidIndex {
        /// The migration; it is not recorded as applied.
        migration: MigrationId,
        /// The indexes, as `index on table`.
        indexes: Vec<String>,
    },
    /// Another session holds the migration lock.
    #[error("gave up after {} s waiting for the migration lock of database `{database}`; nothing was touched{}\n  wait for it, or give us longer to wait (the lock timeout)", .waited.as_secs(), holder_line(.holder.as_deref()))]
    Locked {
        /// The database.
        database: String,
        /// How long we waited.
        waited: Duration,
        /// Who holds it, where the server says so.
        holder: Option<Box<Holder>>,
    },
    /// The server is older than the manifest allows.
    #[error(
        "the server is PostgreSQL {found}, and apps.toml wants {wanted} or newer\n  point DATABASE_URL at a newer server, or lower `version` under [postgres] in apps.toml"
    )]
    ServerTooOld {
        /// The server's version, as it tells it.
        found: String,
        /// The oldest major allowed.
        wanted: u32,
    },
    /// A step of a plan, or a seed, broke off for another reason than a statement that Postgres refused.
    #[error("{what} broke off, and nothing of it was kept\n  {}: {error}", .place)]
    BrokeOff {
        /// Which: `migration billing/0001_initial`.
        what: String,
        /// Its file.
        place: Place,
        /// Why.
        error: Box<Error>,
    },
    /// An earlier operation of this session was dropped in the middle.
    #[error("an earlier operation of this session was given up in the middle; open another session")]
    Abandoned,
    /// A migration gave the migration lock back, as `discard all` does; it is undone.
    #[error(
        "it gave up the migration lock; remove what does that, such as `discard all` or `pg_advisory_unlock_all()`"
    )]
    LockLost,
    /// The server refused or broke the connection, or a statement of our own failed.
    #[error("{doing}: {}", describe(.error))]
    Database {
        /// What we were at: `read the ledger`.
        doing: &'static str,
        /// What sqlx says.
        error: sqlx::Error,
    },
}

impl Error {
    /// Wraps an error of sqlx with what was under way: `.map_err(Error::database("list the tables"))`.
    pub fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
        move |error| Error::Database { doing, error }
    }

    /// The same for sqlx's own statements about its ledger.
    pub(crate) fn ledger(doing: &'static str) -> impl FnOnce(MigrateError) -> Error {
        move |error| match error {
            MigrateError::Execute(error) => Error::Database { doing, error },
            other => Error::Database { doing, error: sqlx::Error::Migrate(Box::new(other)) },
        }
    }
}

/// One thing wrong in the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The manifest is not what it should be.
    #[error("{place}: {message}")]
    Manifest {
        /// File and line.
        place: Place,
        /// What is wrong, and the remedy.
        message: String,
    },
    /// An app's `sqlx.toml` is missing or points elsewhere.
    #[error("{place}: {message}")]
    SqlxToml {
        /// The file.
        place: Place,
        /// What is wrong, and the remedy.
        message: String,
    },
    /// The manifest names an app that has no folder.
    #[error("{manifest}: app `{app}` has no folder; create {folder} or remove the entry")]
    NoFolder {
        /// The manifest.
        manifest: Place,
        /// The app.
        app: String,
        /// The folder that is missing.
        folder: String,
    },
    /// A folder that no entry of the manifest names.
    #[error("{folder}: no app of that name in {manifest}; add an [[app]] entry or remove the folder")]
    NoEntry {
        /// The folder.
        folder: String,
        /// The manifest.
        manifest: Place,
    },
    /// A file that sqlx would ignore, or fail on.
    #[error("{place}: sqlx would ignore it or fail on it; {remedy}")]
    Name {
        /// The file.
        place: Place,
        /// What to do.
        remedy: String,
    },
    /// An up without a down, or the reverse.
    #[error("{place}: has no {missing} beside it; add that file (an empty down is a comment that says why)")]
    HalfPair {
        /// The file that is there.
        place: Place,
        /// The name of the one that is not.
        missing: String,
    },
    /// Two migrations of one app with one number.
    #[error(
        "{place}: number {number:04} is taken by {other}; give the one that is not on the main branch another: cargo xtask renumber"
    )]
    DuplicateNumber {
        /// The later file.
        place: Place,
        /// The number.
        number: i64,
        /// The earlier file.
        other: String,
    },
    /// A number is missing.
    #[error("{place}: follows {previous:04}, so its number should be {:04}; renumber it, or restore the missing file", previous + 1)]
    Gap {
        /// The file after the gap.
        place: Place,
        /// The number before the gap; 0 at the start.
        previous: i64,
    },
    /// A directive in a file's head is wrong.
    #[error("{place}: {message}")]
    Head {
        /// File and line.
        place: Place,
        /// What is wrong, and the remedy.
        message: String,
    },
    /// A head names a migration that is not there.
    #[error("{place}: depends on {wanted}, which does not exist{}", hint.as_ref().map_or(String::new(), |id| format!("; did you mean {id}?")))]
    UnknownDependency {
        /// File and line.
        place: Place,
        /// The name in the head.
        wanted: MigrationId,
        /// The nearest one that exists.
        hint: Option<MigrationId>,
    },
    /// A head names an app that the manifest does not let this app depend on.
    #[error("{place}: {app} may not depend on {wanted}: `depends-on` of `{app}` in {manifest} does not list `{}`; list it there, or move this migration to `{}`", wanted.app, wanted.app)]
    Direction {
        /// File and line.
        place: Place,
        /// The app whose file it is.
        app: String,
        /// The migration that it names.
        wanted: MigrationId,
        /// The manifest.
        manifest: Place,
    },
    /// A file is not what the runner can run.
    #[error("{place}: {message}")]
    Content {
        /// File and line.
        place: Place,
        /// What is wrong, and the remedy.
        message: String,
    },
}

fn lines<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}

pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none yet".to_owned() } else { names.join(", ") }
}

fn holder_line(holder: Option<&Holder>) -> String {
    holder.map_or(String::new(), |holder| format!("\n  {holder}"))
}
