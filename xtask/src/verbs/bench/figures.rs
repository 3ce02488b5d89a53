//! Times commands, and takes the median of many times.

use std::time::{Duration, Instant};

use duct::Expression;

/// Runs a command, and returns how long it took.
pub(super) fn timed(command: &Expression) -> anyhow::Result<Duration> {
    let start = Instant::now();
    command.run()?;
    Ok(start.elapsed())
}

/// The median; zero if there are no durations.
pub(super) fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

/// The median of some milliseconds.
pub(super) fn median_of_ms(milliseconds: Vec<f64>) -> Duration {
    median(milliseconds.into_iter().map(|ms| Duration::from_secs_f64(ms / 1000.0)).collect())
}
