//! The request to `xtask-download`, and its answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Request;

/// Makes sure that PostgreSQL's programs are in a folder, and downloads them if they are not.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// Exactly as the repository has it: `15.18.0`.
    pub version: String,
    /// The folder of this version. Drafts and the lock go beside it.
    pub folder: PathBuf,
    /// The Maven repository; the address may hold a password.
    pub from: String,
}

/// Programs that run on this machine.
#[derive(Debug, Serialize, Deserialize)]
pub struct Programs {
    /// The folder of `postgres` and `initdb`.
    pub bin: PathBuf,
    /// From `postgres --version`, such as `15.18`.
    pub version: String,
    /// Whether they were there already.
    pub state: State,
}

/// What it took to have the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// They were there.
    Kept,
    /// They were downloaded.
    Downloaded,
}

impl Request for Fetch {
    const VERB: &'static str = "fetch";
    type Answer = Programs;
}
