//! The three apps in Rust, and the migrations that the `backend` program embeds.
//!
//! Every function takes a connection, which may be in a transaction, and works in a transaction of its own. It commits a
//! change and its line in the audit log together or not at all. An `Err` means that nothing was written. A result that
//! must stay although the caller is refused, such as the record of a wrong password, comes as `Ok`, because callers may
//! roll back on errors.
//!
//! Functions that lock several rows lock users first, then organizations, then everything else.
//!
//! ```no_run
//! use backend::{audit::Actor, users};
//!
//! # async fn example(conn: &mut sqlx::PgConnection) -> backend::Result<()> {
//! let registration =
//!     users::Registration { email: "ada@example.org", username: "ada", password: "an engine of 4 wheels" };
//! let user = users::register(conn, &Actor::anonymous(), registration).await?;
//! println!("{} is registered", user.email);
//! # Ok(())
//! # }
//! ```

pub mod audit;
mod error;
pub mod organizations;
pub mod progress;
pub mod token;
pub mod users;

pub use error::{Error, Result};
use migrations::Project;
/// Which passwords are good enough, and how they are hashed.
pub use passwords as password;

/// The embedded migrations.
///
/// # Errors
/// The same as [`Project::load`]; never in a build whose tests passed.
pub fn migrations() -> std::result::Result<Project, migrations::Error> {
    ::migrations::embedded!()
}
