//! What is said on standard input and output.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// For `fetch`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Exactly, as the repository has it: `15.18.0`.
    pub(crate) version: String,
    /// Where the programs are kept, each version in a folder of its own; beside it is room for drafts and the lock.
    pub(crate) folder: PathBuf,
    /// The Maven repository; there may be a password in it.
    pub(crate) from: String,
}

/// Programs that run here.
#[derive(Serialize)]
pub(crate) struct Answer {
    /// The folder of `postgres` and `initdb`.
    pub(crate) bin: PathBuf,
    /// What `postgres --version` says, such as `15.18`.
    pub(crate) version: String,
    pub(crate) state: State,
}

/// What it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Kept,
    Downloaded,
}
