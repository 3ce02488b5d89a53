//! Sessions that others wait for.

use std::{fmt, time::Duration};

/// The session that has the migration lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its server process.
    pub pid: i32,
    /// Its application name.
    pub application: String,
    /// Its role; empty where the server does not show it to us.
    pub role: String,
    /// How long it has been connected.
    pub connected: Duration,
    /// The first 100 characters of the query that it runs or ran last; empty where the server does not show it to us.
    pub query: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held by pid {}, connected for {} s", self.pid, self.connected.as_secs())?;
        what_it_does(f, &self.application, &self.role, &self.query)
    }
}

/// A session that holds a lock for which another one waits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocker {
    /// Its server process.
    pub pid: i32,
    /// Its application name.
    pub application: String,
    /// Its role; empty where the server does not show it to us.
    pub role: String,
    /// How long its transaction has been open.
    pub since: Duration,
    /// The first 100 characters of the query that it runs or ran last; empty where the server does not show it to us.
    pub query: String,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blocked by pid {}, in a transaction for {} s", self.pid, self.since.as_secs())?;
        what_it_does(f, &self.application, &self.role, &self.query)
    }
}

fn what_it_does(f: &mut fmt::Formatter<'_>, application: &str, role: &str, query: &str) -> fmt::Result {
    for (name, value) in [("application", application), ("role", role)] {
        if !value.is_empty() {
            write!(f, ", {name} `{value}`")?;
        }
    }
    if query.is_empty() { Ok(()) } else { write!(f, ", running: {query}") }
}
