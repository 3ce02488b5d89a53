//! A PostgreSQL server of our own, made from its programs: find them, make a data directory, start it, heal it, stop it.
//!
//! [`Native`] is the durable development server of one checkout, [`Ephemeral`] the test server in memory that ends with
//! its owner. Neither connects to Postgres: what only a client or the caller can answer (does the server accept this
//! password, where are the programs) comes in as [`Surroundings`].

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
