//! What tests and the service send each other: a line of JSON each way, over a socket that belongs to this user. One
//! connection is one loan. The loan ends when the connection does, for whatever reason.

use serde::{Deserialize, Serialize};

use crate::recipe::Recipe;

/// What a test sends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Lend me a database.
    Take {
        /// What it must hold.
        recipe: Recipe,
        /// What I will do with it.
        usage: Usage,
        /// The name of the test.
        test: String,
    },
    /// The test failed: leave its database for people to look at.
    Keep,
    /// I have cleaned the database; it can be lent again.
    Cleaned,
    /// The shared database was written to: lend it to no other test.
    Spoilt,
    /// Report what you have lent so far.
    Report,
    /// End, unless you are in use.
    End,
}

/// What a test will do with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usage {
    /// Anything: no other test has it.
    Own,
    /// One transaction, which the test rolls back: all such tests share one database.
    Transaction,
}

/// What the service answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// A database is lent.
    Lent {
        /// Its connection string, password included.
        url: String,
    },
    /// The request was carried out.
    Done,
    /// What was lent so far.
    Report(Report),
    /// The request failed, with the reason.
    Error(String),
}

/// What a service has lent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The server's connection string, password included.
    pub server: String,
    /// How many databases it handed out.
    pub lent: usize,
    /// How long a hand-out took, from request to answer, in milliseconds: the median.
    pub median_ms: f64,
    /// The tests that held their databases longest, with seconds.
    pub slowest: Vec<(String, f64)>,
    /// How many databases of failed tests are still there.
    pub kept: usize,
}
