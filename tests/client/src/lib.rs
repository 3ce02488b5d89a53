//! A database of its own for a test, as a URL: for any driver, any runtime and any crate.
//!
//! Two lines in a test:
//!
//! ```no_run
//! # struct Client;
//! # impl Client { fn connect(_url: &str) -> Result<Client, tests_client::Error> { Ok(Client) } }
//! # fn main() -> Result<(), tests_client::Error> {
//! let database = tests_client::seeded().lend()?;
//! let client = Client::connect(database.url())?;
//! # Ok(()) }
//! ```
//!
//! The database is migrated and seeded, no other test has it, and it is removed when `database` goes out of scope or its
//! process ends. If the test panics the database stays, and the output shows how to open and remove it.
//!
//! The databases come from a service of the checkout, over a Unix socket: `cargo xtask test` runs one and sets
//! `XTASK_TEST_SERVICE`. Without it this crate looks for the checkout's service on the server that is meant, by `DATABASE_URL` or
//! whatever else names one, and starts one by the program that `XTASK_BIN` names, or else by `cargo xtask` in the root of
//! the checkout.
//!
//! Everything here blocks. With a service that runs, a hand-out is one short round trip, and a test that is alone on its
//! runtime can call it straight away. Call it by `spawn_blocking` where other tasks of the runtime must go on meanwhile: the
//! first hand-out may start a server, and one from a busy service waits until another test is done.

mod checkout;
mod error;
mod line;
mod loan;
mod passwords;
mod protocol;
mod recipe;
mod service;
mod socket;

pub use checkout::{SERVER, SERVICE, checkout, manifest, manifest_folder};
pub use error::Error;
pub use line::Line;
pub use loan::Loan;
pub use protocol::{Answer, Report, Request, Usage};
pub use recipe::{Content, Recipe, at, empty, project, seeded, unseeded};
pub use socket::Sockets;
