//! What a server needs from outside of this package.

use crate::binaries::Binaries;

/// The caller's answers to what this package can't know: where programs come from, and how a client fares.
///
/// The futures are not `Send`: `xtask` runs them on one thread.
#[expect(async_fn_in_trait, reason = "the futures are awaited on the thread that made them")]
pub trait Surroundings {
    /// Finds the programs of the major version `prefer` if there is one, else of at least `minimum_major`.
    ///
    /// # Errors
    ///
    /// There are none; the message says where they were looked for and how to get them.
    async fn programs(&self, minimum_major: u32, prefer: Option<u32>) -> anyhow::Result<Binaries>;

    /// Whether programs found by an earlier command are unchanged and still the ones to use.
    fn still_uses(&self, binaries: &Binaries) -> bool;

    /// Connects to 127.0.0.1 as `role` and waits for the answer to a first query.
    ///
    /// # Errors
    ///
    /// The server gave no answer in time, or failed for another reason than its password.
    async fn log_in(&self, port: u16, role: &str, password: &str) -> anyhow::Result<Login>;
}

/// How a first query went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// The server answered it.
    Answered,
    /// The server works, but has another password for that role, or no such role.
    Refused,
}
