//! Counts what a service has lent, for its report.

use std::time::Duration;

use tests_client::Report;

/// How many of the slowest tests the report lists.
const SLOWEST: usize = 5;

#[derive(Default)]
pub(crate) struct Stats {
    waits: Vec<Duration>,
    held: Vec<(String, Duration)>,
    kept: usize,
}

impl Stats {
    /// A database was handed out after so long.
    pub(crate) fn handed_out(&mut self, after: Duration) {
        self.waits.push(after);
    }

    /// A test has given its database back.
    pub(crate) fn given_back(&mut self, test: String, time: Duration) {
        self.held.push((test, time));
        self.held.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        self.held.truncate(SLOWEST);
    }

    /// The database of a failed test stays.
    pub(crate) fn keep(&mut self) {
        self.kept += 1;
    }

    pub(crate) fn databases_kept(&self) -> usize {
        self.kept
    }

    pub(crate) fn report(&self, server: String) -> Report {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        let median = waits.get(waits.len() / 2).copied().unwrap_or_default();
        let mut report = Report::default();
        report.server = server;
        report.lent = waits.len();
        report.median_ms = median.as_secs_f64() * 1000.0;
        report.slowest = self.held.iter().map(|(test, time)| (test.clone(), time.as_secs_f64())).collect();
        report.kept = self.kept;
        report
    }
}
