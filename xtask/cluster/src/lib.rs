//! Runs a PostgreSQL server from its programs: finds them, creates a data directory, starts the server, repairs it and
//! stops it.
//!
//! [`Native`] is the durable development server of one checkout, [`Ephemeral`] a test server in memory that ends with its
//! owner. Neither connects to Postgres. The caller does what takes a client, and supplies the programs: see
//! [`Surroundings`].

mod account;
mod archive;
pub mod binaries;
mod cache;
mod cluster;
mod ephemeral;
pub mod folder;
mod home;
mod launch;
mod native;
mod owned;
mod pidfile;
mod port;
mod process;
mod revive;
mod state;
mod surroundings;

pub use self::{
    binaries::Binaries,
    cluster::init_data,
    ephemeral::Ephemeral,
    native::{Native, Status, Stopped},
    owned::{Place, sweep},
    revive::{Running, Startup},
    state::new_password,
    surroundings::{Login, Surroundings},
};
