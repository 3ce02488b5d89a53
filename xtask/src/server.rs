//! The server of this checkout's database: choosing it, starting it, and how to connect to it.
//!
//! The code above gets connection options and a URL, and never depends on the kind of server.

mod choice;
pub(crate) mod container;
pub(crate) mod docker;
mod download;
mod env_file;
mod login;
mod programs;
pub(crate) mod psql;
mod reached;
mod start;
mod tls;
mod url;

pub(crate) use self::{
    choice::{Chosen, Kind, Own, choose, choose_ours, instead},
    login::login_options,
    programs::{Preferring, Programs, native_server, own_server},
    reached::{Origin, Server, plain_url},
    start::{start, start_existing},
    tls::is_on_this_machine,
    url::redacted,
};
