//! The three apps in Rust, and the schema that the `backend` program brings along.
//!
//! Every function takes a connection, which may be in a transaction, and does its work in one of its own; a change and
//! its line in the audit log are kept together or not at all. An `Err` means that nothing was written. What must be kept
//! although the caller is turned away, as the record of a wrong password, comes as `Ok`: a caller may roll back on errors.
//!
//! Where several rows are locked, the order is users, organizations, everything else.

pub mod audit;
mod error;
pub mod organizations;
pub mod password;
pub mod progress;
pub mod token;
pub mod users;

pub use error::{Error, Result};
use migrations::Project;

/// The migrations that this program brings along.
///
/// # Errors
/// As [`Project::load`]; never for a build whose tests ran.
pub fn migrations() -> std::result::Result<Project, migrations::Error> {
    ::migrations::embedded!()
}
