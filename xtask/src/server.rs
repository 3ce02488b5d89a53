//! Which server this checkout's database lives on, and how it is reached.
//!
//! A server ends at its connection options: the code above takes those and knows no kind of server.

mod choice;
pub(crate) mod container;
pub(crate) mod docker;
mod download;
mod login;
mod programs;
pub(crate) mod psql;
mod reached;
mod start;
mod url;

pub(crate) use self::{
    choice::{Chosen, Kind, Own, choose, instead},
    login::login_options,
    programs::{Programs, native_server, own_server},
    reached::{Origin, Server, plain_url},
    start::{start, start_existing},
    url::redacted,
};
