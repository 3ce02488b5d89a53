//! The schema of a set of apps, and the runner that applies it.
//!
//! [`Project`] holds what the files describe: the manifest, the apps, and their migrations in one order. [`Session`] is one
//! connection that reads the ledger, migrates, seeds and checks. This crate does not print or start servers, and has no
//! app's name in it. A command line for people sits on top of it; a production program needs nothing else.
//!
//! ```no_run
//! use migrations::{Project, Prune, SeedMode, Session, Settings, Target, database};
//!
//! # async fn deploy() -> Result<(), Box<dyn std::error::Error>> {
//! let project = Project::load("migrations".as_ref())?;
//! let options = database::options("postgres://app@localhost/app")?;
//! let mut session = Session::connect(&options, Settings::default()).await?;
//! session.migrate(&project, &Target::Latest, &mut |_event| {}).await?;
//! session.seed(&project, SeedMode::Write, Prune::No, &mut |_event| {}).await?;
//! assert!(session.contract(&project).await?.holds());
//! # Ok(()) }
//! ```
//!
//! A program that carries its migrations inside, so that a deploy needs no source tree, calls `migrations_embed::embed` in
//! its build script and gets the project from [`embedded!`].

mod app_files;
mod apply;
mod content;
mod contract;
mod cycle;
pub mod database;
mod disagreement;
mod down;
mod effect;
mod error;
mod event;
mod failure;
mod graph;
mod head;
mod holder;
mod id;
mod ledger;
mod ledger_problem;
mod lock;
mod lone;
mod manifest;
mod naming;
mod nearest;
mod no_way_back;
mod other_ledger;
mod place;
mod plan;
mod postgres;
mod problem;
mod project;
mod psql;
mod reader;
mod record;
mod remains;
mod renumber;
mod report;
mod retry;
mod running;
pub mod schema;
mod script;
mod seed;
mod server_process;
mod session;
mod settings;
mod shell;
mod source;
pub mod sqlstate;
mod sqlx_toml;
mod statements;
mod url;
mod watch;

pub use apply::run_within;
pub use contract::{Contract, ListedPart, MissingTable, Owners};
pub use cycle::{Cycle, Edge, Reason};
pub use down::{Down, Irreversible};
pub use error::{Error, Remedy};
pub use event::{Event, OnEvent};
pub use failure::{Failure, Subject};
pub use holder::{Blocker, Holder};
pub use id::{LONGEST_NAME, MigrationId, ParseMigrationIdError};
pub use ledger::{Applied, Ledger, MovedRow};
pub use ledger_problem::LedgerProblem;
pub use manifest::{App, Late};
pub use migrations_embed::settings as sqlx_settings;
pub use naming::{FileName, Naming};
pub use no_way_back::NoWayBack;
pub use other_ledger::OtherLedger;
pub use place::Place;
pub use plan::{Plan, Step, Target};
pub use postgres::Postgres;
pub use problem::Problem;
pub use project::{Commands, Dependency, DependencyKind, Migration, Project, SchemaFile, Seed};
pub use psql::at as explained_psql;
pub use record::literal;
pub use remains::Remains;
pub use renumber::Renumbering;
pub use report::Report;
pub use script::{Direction, Script};
pub use seed::{Prune, SeedMode, SeedReport, TableChanges, run_seeds};
pub use session::{MigrationLock, Session};
pub use settings::{Access, Settings};
pub use shell::shell_word;
pub use source::SourceFile;
pub use sqlx_toml::STOCK_LEDGER;
pub use statements::{statements, tokens};

/// The project that this program carries inside: `migrations::embedded!()` is a `Result<Project, Error>`, as from
/// [`Project::from_files`].
///
/// The build script of the same package has to call `migrations_embed::embed` with the migrations folder.
#[macro_export]
macro_rules! embedded {
    () => {{
        let files: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));
        let files = files.iter().map(|&(path, text)| $crate::SourceFile::new(path, text));
        $crate::Project::from_files("migrations", files.collect())
    }};
}
