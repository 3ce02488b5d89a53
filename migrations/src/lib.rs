//! The schema of a set of apps, and the runner that applies it.
//!
//! [`Project`] is what the files say: manifest, apps, migrations in their one order. [`Session`] is one connection that
//! reads the ledger, migrates, seeds and checks. Nothing here prints, starts a server or knows an app by name: `xtask`
//! does so for people, and a production program links this crate alone.
//!
//! ```no_run
//! # async fn deploy() -> Result<(), migrations::Error> {
//! use migrations::{Project, Session, Settings, Target};
//! let project = Project::load("migrations".as_ref())?;
//! let options = "postgres://app@localhost/app".parse()?;
//! let mut session = Session::connect(&options, Settings::default()).await?;
//! session.migrate(&project, &Target::Latest, &mut |_event| {}).await?;
//! # Ok(()) }
//! ```

mod apply;
mod contract;
pub mod database;
mod describe;
mod error;
mod failure;
mod graph;
mod head;
mod index;
mod ledger;
mod lock;
mod manifest;
mod nearest;
mod plan;
mod project;
mod reader;
mod script;
mod seed;
mod session;
mod source;
mod sqlx_toml;
mod statements;

pub use apply::{Event, OnEvent};
pub use contract::Contract;
pub use describe::{chain, describe};
pub use error::{Error, Problem};
pub use failure::{Failure, Subject};
pub use graph::{Cycle, Edge, Reason};
pub use ledger::{Applied, Ledger, LedgerProblem};
pub use lock::{Holder, lock_key};
pub use manifest::{App, Postgres};
pub use nearest::closest;
pub use plan::{Direction, Plan, Step, Target};
pub use project::{Dependency, Migration, MigrationId, Project};
pub use script::Script;
pub use seed::{Prune, SeedMode, SeedReport, TableChanges, run_seeds};
pub use session::{Access, Session, Settings};
pub use source::{Place, SourceFile};
