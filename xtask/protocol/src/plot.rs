//! The request to `xtask-plot`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Request;

/// Draws lines as an SVG.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The SVG to write.
    pub file: PathBuf,
    /// Above the picture.
    pub title: String,
    /// Below the horizontal axis.
    pub across: String,
    /// Beside the vertical axis, which is logarithmic.
    pub up: String,
    /// What to draw.
    pub lines: Vec<Line>,
}

/// A line with its name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// In the legend.
    pub name: String,
    /// Across and up.
    pub points: Vec<(f64, f64)>,
}

impl Request for Draw {
    const VERB: &'static str = "draw";
    type Answer = ();
}
