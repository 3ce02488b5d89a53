//! What a service has lent, to be told at the end.

use std::time::Duration;

use crate::protocol::Report;

/// So many of the slowest tests are told.
const SLOWEST: usize = 5;

#[derive(Default)]
pub(crate) struct Stats {
    waits: Vec<Duration>,
    held: Vec<(String, Duration)>,
    kept: usize,
}

impl Stats {
    /// A database was handed out after so long.
    pub(crate) fn lent(&mut self, after: Duration) {
        self.waits.push(after);
    }

    /// A test has given its database back.
    pub(crate) fn held(&mut self, test: String, time: Duration) {
        self.held.push((test, time));
        self.held.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        self.held.truncate(SLOWEST);
    }

    pub(crate) fn keep(&mut self) {
        self.kept += 1;
    }

    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    pub(crate) fn report(&self, server: String) -> Report {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        let median = waits.get(waits.len() / 2).copied().unwrap_or_default();
        Report {
            server,
            lent: waits.len(),
            median_ms: median.as_secs_f64() * 1000.0,
            slowest: self.held.iter().map(|(test, time)| (test.clone(), time.as_secs_f64())).collect(),
            kept: self.kept,
        }
    }
}
