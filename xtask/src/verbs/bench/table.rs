//! The figures as a table for people or as JSON for programs.

use std::time::Duration;

use serde::Serialize;

use crate::terminal::{
    format::Format,
    output::{self, time},
};

/// One figure of ours beside the figure of its peer.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// What was measured.
    pub(super) what: &'static str,
    /// What it is compared with.
    pub(super) peer: &'static str,
    #[serde(flatten)]
    pub(super) figures: Figures,
    /// Our figure divided by the peer's.
    pub(super) ratio: f64,
    /// What the figure should reach; `None` if it has no goal.
    pub(super) goal: Option<String>,
    pub(super) reached: Option<bool>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(super) enum Figures {
    /// Medians, in milliseconds.
    Times { ours_ms: f64, peer_ms: f64 },
    /// How many per second.
    Rates { ours_per_s: f64, peer_per_s: f64 },
}

/// What a figure should reach.
pub(super) enum Goal {
    /// At most this many times the peer's time.
    Ratio(f64),
    /// At most this much longer than the peer.
    Longer(Duration),
    /// At most this long.
    Time(Duration),
    /// At least this many times the peer's rate.
    Rate(f64),
    /// It has no goal.
    None,
}

/// The report of `--format json`.
#[derive(Serialize)]
struct Report<'r> {
    rows: &'r [Row],
}

impl Row {
    /// A row of times.
    pub(super) fn new(
        what: &'static str,
        ours: Duration,
        peer: &'static str,
        theirs: Duration,
        goal: Goal,
    ) -> Row {
        let figures = Figures::Times { ours_ms: milliseconds(ours), peer_ms: milliseconds(theirs) };
        Row::from_figures(what, peer, figures, ours.as_secs_f64() / theirs.as_secs_f64(), goal)
    }

    /// A row of rates per second.
    pub(super) fn rates(what: &'static str, ours: f64, peer: &'static str, theirs: f64, goal: Goal) -> Row {
        let figures = Figures::Rates { ours_per_s: ours, peer_per_s: theirs };
        Row::from_figures(what, peer, figures, ours / theirs, goal)
    }

    fn from_figures(what: &'static str, peer: &'static str, figures: Figures, ratio: f64, goal: Goal) -> Row {
        let Figures::Times { ours_ms, peer_ms } = figures else {
            let (goal, reached) = match goal {
                Goal::Rate(least) => (Some(format!("≥ {least} ×")), Some(ratio >= least)),
                _ => (None, None),
            };
            return Row { what, peer, figures, ratio, goal, reached };
        };
        let (goal, reached) = match goal {
            Goal::Ratio(limit) => (Some(format!("≤ {limit} ×")), Some(ratio <= limit)),
            Goal::Longer(limit) => {
                (Some(format!("≤ + {}", time(limit))), Some(ours_ms <= peer_ms + milliseconds(limit)))
            }
            Goal::Time(limit) => (Some(format!("≤ {}", time(limit))), Some(ours_ms <= milliseconds(limit))),
            Goal::Rate(_) | Goal::None => (None, None),
        };
        Row { what, peer, figures, ratio, goal, reached }
    }
}

/// Prints the rows.
pub(super) fn print(rows: &[Row], format: Format) {
    if format == Format::Json {
        output::json(&Report { rows });
        return;
    }
    output::line(
        "figure                                   ours      measured by                           theirs    ratio   goal",
    );
    for row in rows {
        let (ours, theirs) = match row.figures {
            Figures::Times { ours_ms, peer_ms } => (shown(ours_ms), shown(peer_ms)),
            Figures::Rates { ours_per_s, peer_per_s } => {
                (format!("{ours_per_s:.1}/s"), format!("{peer_per_s:.1}/s"))
            }
        };
        let goal = match (&row.goal, row.reached) {
            (Some(goal), Some(true)) => format!("{goal} reached"),
            (Some(goal), _) => format!("{goal} MISSED"),
            (None, _) => "shown".to_owned(),
        };
        let ratio = format!("{:.2}", row.ratio);
        output::line(&format!("{:<40} {ours:<9} {:<37} {theirs:<9} {ratio:<7} {goal}", row.what, row.peer));
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn shown(ms: f64) -> String {
    time(Duration::from_secs_f64(ms / 1000.0))
}
