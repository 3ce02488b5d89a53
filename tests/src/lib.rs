//! A database of its own for every test, in milliseconds.
//!
//! [`with_database`] hands a test a migrated and seeded database and removes it afterwards; where the test fails the
//! database stays, and the failure says how to open it. [`empty`], [`unseeded`] and [`at`] hand out others,
//! [`recycled`] and [`with_transaction`] are for big suites of small tests. [`project`] hands out databases of another
//! folder of migrations than the product's own.
//!
//! ```no_run
//! #[test]
//! fn every_role_has_a_name_to_show() {
//!     tests::with_database(async |db| {
//!         let nameless: i64 = sqlx::query_scalar("select count(*) from roles where display_name = ''")
//!             .fetch_one(db.pool())
//!             .await?;
//!         assert_eq!(nameless, 0);
//!         Ok(())
//!     });
//! }
//! ```
//!
//! Migrations and seeds run once: into a template, which is known by a fingerprint of what went into it, is closed to
//! connections, and is only cloned. A [`Service`] a server makes clones ahead; `cargo xtask test` runs one, and plain
//! `cargo test` starts one that ends when nobody has used it for a while. Where a test server is named and no service,
//! a test makes its clone itself. Without a server a test fails, it is never skipped.

mod client;
mod content;
mod owner;
mod project;
mod protocol;
mod recycle;
mod run;
mod scratch;
mod service;
mod shelf;
mod sources;
mod stats;
mod stock;
mod sweep;
mod template;

use std::path::{Path, PathBuf};

pub use client::{Lent, SERVER, SERVICE, end, report, server, shared_socket};
pub use project::{Project, at, empty, project, recycled, seeded, unseeded, with_database, with_transaction};
pub use protocol::Report;
pub use run::{Setup, TestDatabase};
pub use scratch::Scratch;
pub use service::{Lifetime, Service};
pub use sweep::{scratch_databases, sweep};

/// The folder of the workspace that this library was built in.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
