//! Times a command, and takes the middle of many times.

use std::time::{Duration, Instant};

use duct::Expression;

/// How long a command takes from its start to its end.
pub(crate) fn timed(command: &Expression) -> anyhow::Result<Duration> {
    let start = Instant::now();
    command.run()?;
    Ok(start.elapsed())
}

/// The middle of some durations.
pub(crate) fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

/// The middle of some milliseconds.
pub(crate) fn middle(milliseconds: Vec<f64>) -> Duration {
    median(milliseconds.into_iter().map(|ms| Duration::from_secs_f64(ms / 1000.0)).collect())
}
