//! Requests to `xtask-bench`, and its answers. Times are in milliseconds unless a name says otherwise.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Request;

/// Runs a suite of tests that ask one query each.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// How each test gets its database.
    pub design: Design,
    /// How many tests.
    pub tests: usize,
    /// How many of them run at a time.
    pub at_once: usize,
    /// What each test asks.
    pub query: String,
}

/// How a test gets its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// `tests::seeded()`; without a service the test clones the template itself.
    Seeded,
    /// `tests::recycled()`.
    Recycled,
    /// `tests::with_transaction`.
    Transaction,
    /// `#[sqlx::test]`, which runs the migrations and seeds.
    Replay,
    /// `#[sqlx::test]` on a server whose `template1` has them.
    Template1,
}

/// What a suite took.
#[derive(Debug, Serialize, Deserialize)]
pub struct SuiteTimes {
    /// The whole suite.
    pub seconds: f64,
    /// Of each test, from its start to its query answered.
    pub first_query_ms: Vec<f64>,
}

/// Takes databases from the service and asks a query, in turn with bare connections that ask the same.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOut {
    /// The database of the bare connections.
    pub url: String,
    /// How many of each.
    pub runs: usize,
    /// What each asks.
    pub query: String,
    /// Between two, so that the service can replace what was taken.
    pub pause_ms: u64,
}

/// The times of both.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct HandOutTimes {
    /// From the service.
    pub ours_ms: Vec<f64>,
    /// By a bare connection.
    pub bare_ms: Vec<f64>,
}

/// Takes more databases from a service than it has ready.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clones {
    /// The service.
    pub socket: PathBuf,
    /// Databases that the service made ahead; these are not measured.
    pub ready: usize,
    /// Databases that have to be made.
    pub clones: usize,
    /// How many callers wait at a time.
    pub at_once: usize,
}

/// How fast a service makes databases.
#[derive(Debug, Serialize, Deserialize)]
pub struct CloneRate {
    /// Databases a second.
    pub per_second: f64,
}

/// Fills a database with the migrations and seeds by sqlx alone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// The database.
    pub url: String,
}

impl Request for Suite {
    const VERB: &'static str = "suite";
    type Answer = SuiteTimes;
}

impl Request for HandOut {
    const VERB: &'static str = "hand-out";
    type Answer = HandOutTimes;
}

impl Request for Clones {
    const VERB: &'static str = "clones";
    type Answer = CloneRate;
}

impl Request for Fill {
    const VERB: &'static str = "fill";
    type Answer = ();
}
