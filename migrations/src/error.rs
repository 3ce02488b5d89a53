//! Everything that can go wrong, as types: what, where, and the remedy last.

use std::{fmt, io, time::Duration};

use sqlx::migrate::MigrateError;

use crate::{
    Cycle, Failure, Holder, LedgerProblem, MigrationId, NoWayBack, Place, Problem, Remains,
    nearest::suggestion, problem,
};

/// Why an operation failed. The text is for people, and has several lines where that helps.
///
/// The text leaves out the cause, which [`std::error::Error::source`] returns; [`Report`](crate::Report) prints both.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder of the project could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file or folder.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The files break the rules; all problems at once.
    #[error("{}; nothing was touched{}", count(.0.len(), "problem in the migration files", "problems in the migration files"), lines(&problem::grouped(.0)))]
    Files(Vec<Problem>),
    /// The migrations wait for each other in a circle.
    #[error("{0}")]
    Cycle(Box<Cycle>),
    /// The ledger contradicts the files; all problems at once.
    #[error("the ledger and the files disagree; nothing was touched{}", lines(.0))]
    Ledger(Vec<LedgerProblem>),
    /// The tables of the ledger belong to a role that this one is not a member of.
    #[error(
        "role `{role}` may not read the ledger, which belongs to role `{owner}`\n  connect as `{owner}`, or hand it over to `{role}`, as `{owner}` or a superuser: {sql}"
    )]
    LedgerOfAnotherRole {
        /// The role of the session.
        role: String,
        /// The owner.
        owner: String,
        /// What hands the ledger over.
        sql: String,
    },
    /// No app has this name.
    #[error("there is no app `{name}`{}\n  apps: {}", suggestion(name, apps), apps.join(", "))]
    UnknownApp {
        /// The name.
        name: String,
        /// The names of all apps.
        apps: Vec<String>,
    },
    /// The app is in another database of the manifest.
    #[error("app `{app}` is in database `{database}`")]
    InOtherDatabase {
        /// The app.
        app: String,
        /// Its database.
        database: String,
    },
    /// No app of the manifest is in a database of this name.
    #[error("there is no database `{name}` in apps.toml{}\n  databases: {}", suggestion(name, databases), databases.join(", "))]
    UnknownDatabase {
        /// The name.
        name: String,
        /// The names of all databases.
        databases: Vec<String>,
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
        /// The name.
        name: String,
        /// The names of all its migrations.
        names: Vec<String>,
    },
    /// The names of several migrations of the app begin like this.
    #[error(
        "app `{app}` has more than one migration `{name}`\n  write more of one of them: {}",
        listed(names)
    )]
    AmbiguousMigration {
        /// The app.
        app: String,
        /// The beginning.
        name: String,
        /// The names that begin like it.
        names: Vec<String>,
    },
    /// The plan would revert migrations that have no way back.
    #[error("{0}")]
    NoWayBack(Box<NoWayBack>),
    /// Postgres refused a statement of a migration or seed.
    #[error("{0}")]
    Failed(Box<Failure>),
    /// A migration without a transaction left an index that Postgres does not use.
    #[error(
        "migration {migration} left an index that is not valid: {index}\n  run the same command again: it drops the index and rebuilds it"
    )]
    InvalidIndex {
        /// The migration; it is not recorded as applied.
        migration: MigrationId,
        /// The index, as `index on table`.
        index: String,
    },
    /// An index that an earlier run left invalid could not be dropped.
    #[error(
        "migration {migration} did not begin: an earlier run left index {index} invalid, and it is still there; the next run tries again to drop it"
    )]
    InvalidIndexStays {
        /// The migration.
        migration: MigrationId,
        /// The index, as `index on table`.
        index: String,
        /// Why.
        source: Box<Error>,
    },
    /// An up file has no statement yet. It was not recorded, because filling it in later would edit what databases have
    /// applied.
    #[error(
        "{migration} has no statement yet, so it was not applied\n  fill in {place}, or remove the migration's files"
    )]
    NoStatement {
        /// The migration.
        migration: MigrationId,
        /// Its up file.
        place: Place,
    },
    /// A seed changes the schema, which only migrations may do.
    #[error(
        "the seed of app `{app}` changes the schema; nothing of any seed was kept\n  {place}{}\n  a seed writes rows: move that to a migration",
        lines(changes)
    )]
    SeedChangesSchema {
        /// The app.
        app: String,
        /// The file of the seed.
        place: Place,
        /// What it does, a line each: `it makes table public.t`.
        changes: Vec<String>,
    },
    /// Another session holds the migration lock.
    #[error("gave up after {} s waiting for the migration lock of database `{database}`; nothing was touched{}\n  wait until it is free, or raise the lock timeout", .waited.as_secs(), holder_line(.holder.as_deref()))]
    Locked {
        /// The database.
        database: String,
        /// How long we waited.
        waited: Duration,
        /// Who holds it, if the server shows it.
        holder: Option<Box<Holder>>,
    },
    /// The database, the role or the server is set to be read-only, which is taken for a freeze and is not lifted.
    #[error(
        "database `{database}` is read-only: default_transaction_read_only is on for {scope}; nothing was touched\n  {remedy}"
    )]
    ReadOnly {
        /// The database.
        database: String,
        /// For what it is set: `the database`.
        scope: String,
        /// How to set it back.
        remedy: String,
    },
    /// Sessions of this role run as on a replica, and the role may not change that.
    #[error(
        "session_replication_role is not `origin` in database `{database}`, so Postgres would check no foreign key; nothing was touched\n  as a superuser, set it back where it is set: alter database, alter role or alter system … reset session_replication_role"
    )]
    Replica {
        /// The database.
        database: String,
    },
    /// A connection pooler answers in place of the server, and a session would not be one session of it.
    #[error(
        "a connection pooler such as PgBouncer is in front of the server: {found}; nothing was touched\n  connect to Postgres itself: in the connection string, write its own port{}",
        .port.as_ref().map_or(String::new(), |port| format!(", {port}"))
    )]
    Pooler {
        /// How it shows: `it drops the settings of a session`.
        found: String,
        /// The port on which the server itself listens, if it could be asked.
        port: Option<String>,
    },
    /// The server is older than the manifest allows.
    #[error(
        "the server is PostgreSQL {found}, and apps.toml requires {required} or newer\n  use a newer server, or lower `version` under [postgres] in apps.toml"
    )]
    ServerTooOld {
        /// The server's version, such as `14.9`.
        found: String,
        /// The oldest major version allowed.
        required: u32,
    },
    /// A migration or seed broke off for another reason than a statement that Postgres refused.
    #[error("{what} broke off{remains}\n  {place}")]
    BrokeOff {
        /// What was running: `migration billing/0001_initial`.
        what: String,
        /// Its file.
        place: Place,
        /// What is left of it.
        remains: Remains,
        /// Why.
        source: Box<Error>,
    },
    /// The caller dropped the future of an earlier operation of this session before it was done.
    #[error("an earlier operation of this session was cancelled in the middle; open another session")]
    Abandoned,
    /// A migration released the migration lock, as `discard all` does; it is undone.
    #[error(
        "it gave up the migration lock; remove the cause, such as `discard all` or `pg_advisory_unlock_all()`"
    )]
    LockLost,
    /// Other sessions change the schema faster than it can be read.
    #[error(
        "the schema changed while it was read, again and again\n  run the same command when nothing else migrates"
    )]
    SchemaChanges,
    /// The server's catalogues hold something that we do not understand.
    #[error("cannot read the schema")]
    Schema(#[from] catalogue::Error),
    /// The server refused or broke the connection, or one of our own statements failed.
    #[error("{doing}")]
    Database {
        /// What we were doing: `read the ledger`.
        doing: &'static str,
        /// What sqlx reports.
        source: sqlx::Error,
    },
}

/// A way out of an error for which the program around this library may have a command. Its own text says what to do;
/// the program adds what to type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// Record the migration as applied, since the database has what it makes: `Session::adopt`.
    Adopt,
    /// Give a migration another number, in the names of all its files.
    Renumber,
    /// Go back to this migration of the app and no further, or, if there is none, not at all.
    GoBackLess(Option<MigrationId>),
    /// Work on this database of the manifest.
    InDatabase(String),
}

impl Error {
    /// Wraps an error of sqlx with what was under way: `.map_err(Error::database("list the tables"))`.
    pub fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
        move |source| Error::Database { doing, source }
    }

    /// The same for sqlx's own statements about its ledger.
    pub(crate) fn ledger(doing: &'static str) -> impl FnOnce(MigrateError) -> Error {
        move |error| match error {
            MigrateError::Execute(source) => Error::Database { doing, source },
            other => Error::Database { doing, source: sqlx::Error::Migrate(Box::new(other)) },
        }
    }

    /// The way out for which the caller may have a command.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Error::Failed(failure) if failure.is_there_already() => Some(Remedy::Adopt),
            Error::NoWayBack(no_way_back) => Some(Remedy::GoBackLess(no_way_back.furthest.clone())),
            Error::Files(problems) => {
                let twice = problems.iter().any(|problem| matches!(problem, Problem::DuplicateNumber { .. }));
                twice.then_some(Remedy::Renumber)
            }
            Error::InOtherDatabase { database, .. } => Some(Remedy::InDatabase(database.clone())),
            _ => None,
        }
    }
}

fn lines<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none yet".to_owned() } else { names.join(", ") }
}

fn holder_line(holder: Option<&Holder>) -> String {
    holder.map_or(String::new(), |holder| format!("\n  {holder}"))
}
