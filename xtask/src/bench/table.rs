//! The rows, as a table or for programs.

use std::time::Duration;

use serde::Serialize;

use crate::{
    cli::Format,
    output::{self, time},
};

/// One figure of ours beside what it is measured by.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// What was measured.
    pub(super) what: &'static str,
    /// What it is measured by.
    pub(super) peer: &'static str,
    /// Medians, in milliseconds.
    pub(super) ours_ms: f64,
    pub(super) peer_ms: f64,
    pub(super) ratio: f64,
    /// What it should reach.
    pub(super) goal: String,
    pub(super) reached: bool,
}

/// What a figure should reach.
pub(super) enum Goal {
    /// At most so many times the peer.
    Ratio(f64),
    /// At most so much longer than the peer.
    Longer(Duration),
    /// At most so long.
    Time(Duration),
}

impl Row {
    pub(super) fn new(
        what: &'static str,
        ours: Duration,
        peer: &'static str,
        theirs: Duration,
        goal: Goal,
    ) -> Row {
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        let (goal, reached) = match goal {
            Goal::Ratio(limit) => (format!("≤ {limit} ×"), ratio <= limit),
            Goal::Longer(limit) => (format!("≤ + {}", time(limit)), ours <= theirs + limit),
            Goal::Time(limit) => (format!("≤ {}", time(limit)), ours <= limit),
        };
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
        Row { what, peer, ours_ms: milliseconds(ours), peer_ms: milliseconds(theirs), ratio, goal, reached }
    }
}

pub(super) fn print(rows: &[Row], format: Format) {
    if format == Format::Json {
        output::json(&serde_json::json!({ "rows": rows }));
        return;
    }
    output::line(
        "figure                                   ours      measured by                           theirs    ratio   goal",
    );
    for row in rows {
        let milliseconds = |ms: f64| time(Duration::from_secs_f64(ms / 1000.0));
        output::line(&format!(
            "{:<40} {:<9} {:<37} {:<9} {:<7} {} {}",
            row.what,
            milliseconds(row.ours_ms),
            row.peer,
            milliseconds(row.peer_ms),
            format!("{:.2}", row.ratio),
            row.goal,
            if row.reached { "reached" } else { "MISSED" },
        ));
    }
}

/// The middle of some durations.
pub(super) fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}
