//! What a server needs from its caller.

use crate::binaries::Binaries;

/// What the caller supplies: Postgres's programs, and a client to log in with.
///
/// The futures are not `Send`: `xtask` runs them on one thread.
#[expect(async_fn_in_trait, reason = "the futures are awaited on the thread that made them")]
pub trait Surroundings {
    /// Finds programs of the major version `prefer`; if that is `None`, of `minimum_major` or newer.
    ///
    /// # Errors
    ///
    /// There are no such programs; the message says where it searched and how to install them.
    async fn programs(&self, minimum_major: u32, prefer: Option<u32>) -> anyhow::Result<Binaries>;

    /// Whether programs that an earlier command found are unchanged and still the ones to use.
    fn still_uses(&self, binaries: &Binaries) -> bool;

    /// Connects to 127.0.0.1 as `role`, and runs a first query.
    ///
    /// # Errors
    ///
    /// The server did not answer in time, or failed for another reason than the password.
    async fn log_in(&self, port: u16, role: &str, password: &str) -> anyhow::Result<Login>;
}

/// The outcome of a first query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// The server answered it.
    Answered,
    /// The server works, but rejected the password or the role.
    Refused,
}
