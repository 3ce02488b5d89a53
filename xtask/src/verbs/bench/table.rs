//! The rows, as a table or for programs.

use std::time::Duration;

use serde::Serialize;

use crate::terminal::{
    format::Format,
    output::{self, time},
};

/// One figure of ours beside what it is measured by.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: &'static str,
    /// What it is measured by.
    pub(crate) peer: &'static str,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    /// Ours to theirs.
    pub(crate) ratio: f64,
    /// What it should reach; nothing where it is only shown.
    pub(crate) goal: Option<String>,
    pub(crate) reached: Option<bool>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Figures {
    /// Medians, in milliseconds.
    Times { ours_ms: f64, peer_ms: f64 },
    /// So many a second.
    Rates { ours_per_s: f64, peer_per_s: f64 },
}

/// What a figure should reach.
pub(crate) enum Goal {
    /// At most so many times the peer.
    Ratio(f64),
    /// At most so much longer than the peer.
    Longer(Duration),
    /// At most so long.
    Time(Duration),
    /// At least so many times the peer's rate.
    Rate(f64),
    /// It is shown, no more.
    None,
}

impl Row {
    pub(crate) fn new(
        what: &'static str,
        ours: Duration,
        peer: &'static str,
        theirs: Duration,
        goal: Goal,
    ) -> Row {
        let figures = Figures::Times { ours_ms: milliseconds(ours), peer_ms: milliseconds(theirs) };
        Row::of(what, peer, figures, ours.as_secs_f64() / theirs.as_secs_f64(), goal)
    }

    /// Of so many a second.
    pub(crate) fn rates(what: &'static str, ours: f64, peer: &'static str, theirs: f64, goal: Goal) -> Row {
        let figures = Figures::Rates { ours_per_s: ours, peer_per_s: theirs };
        Row::of(what, peer, figures, ours / theirs, goal)
    }

    fn of(what: &'static str, peer: &'static str, figures: Figures, ratio: f64, goal: Goal) -> Row {
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

pub(crate) fn print(rows: &[Row], format: Format) {
    if format == Format::Json {
        output::json(&serde_json::json!({ "rows": rows }));
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
