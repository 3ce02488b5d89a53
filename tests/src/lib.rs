//! A database of its own for every test, in milliseconds.
//!
//! [`with_database`] hands a test a migrated and seeded database and removes it afterwards; if the test fails the database
//! stays, and the output shows how to open it.
//!
//! ```no_run
//! tests::with_database(async |db| {
//!     let nameless: i64 = sqlx::query_scalar("select count(*) from roles where display_name = ''")
//!         .fetch_one(db.pool())
//!         .await?;
//!     assert_eq!(nameless, 0);
//!     Ok(())
//! });
//! ```
//!
//! [`macro@test`] is the same as an attribute:
//!
//! ```no_run
//! #[tests::test]
//! async fn every_role_has_a_name_to_show(db: &tests::TestDatabase) -> anyhow::Result<()> {
//!     let nameless: i64 = sqlx::query_scalar("select count(*) from roles where display_name = ''")
//!         .fetch_one(db.pool())
//!         .await?;
//!     assert_eq!(nameless, 0);
//!     Ok(())
//! }
//! ```
//!
//! [`database()`] is for a test that runs on a runtime already, and
//! [`TestDatabase::url`] for any driver. [`empty`], [`unseeded`] and [`at`] describe other contents, [`recycled`] and
//! [`with_transaction`] are for big suites of small tests, [`in_database`] takes another database of the project, and
//! [`project()`] another folder of migrations than the product's own.
//!
//! Migrations and seeds run once, into a template: its name is a fingerprint of what went into it, it is closed to
//! connections, and it is only cloned. A [`service`] on each server makes clones ahead. `cargo xtask test` runs one, and
//! plain `cargo test` starts one that ends when it is unused. If the environment names a server and no service, a test makes
//! its clone itself. Without a server a test fails; it is never skipped.
//!
//! The package `tests-client` gets the URL of such a database without sqlx, tokio or anything else of this crate.

mod borrowed;
mod database;
mod line;
mod local;
mod naming;
mod outcome;
mod owner;
mod project;
mod recycle;
mod run;
pub mod scratch;
pub mod service;
mod setup;
mod shelf;
mod sources;
mod statements;
mod stats;
mod stock;
mod sweep;
mod template;
mod workspace;

pub use database::TestDatabase;
pub use project::{
    Project, at, database, empty, in_database, project, recycled, seeded, unseeded, with_database,
    with_transaction,
};
pub use setup::Setup;
pub use tests_macros::test;
pub use workspace::workspace_root;
