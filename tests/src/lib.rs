//! A database of its own for every test.
//!
//! [`with_database`] hands a test a migrated and seeded database and removes it afterwards; where the test fails the
//! database stays, and the failure says how to open it. The server is the one that `XTASK_TEST_URL` names:
//! `cargo xtask test` starts one and sets it. Without it a test fails, it is never skipped.
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

mod database;
mod scratch;

use std::path::{Path, PathBuf};

pub use database::{TestDatabase, server, with_database, with_empty_database};
pub use scratch::Scratch;

/// The folder of the workspace that this library was built in.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
