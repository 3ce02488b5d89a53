//! The session that has the migration lock.

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
        for (name, value) in [("application", &self.application), ("role", &self.role)] {
            if !value.is_empty() {
                write!(f, ", {name} `{value}`")?;
            }
        }
        if !self.query.is_empty() {
            write!(f, ", running: {}", self.query)?;
        }
        Ok(())
    }
}
