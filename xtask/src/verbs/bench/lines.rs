//! Figures as lines in an SVG.

use std::path::{Path, absolute};

use xtask_protocol::{
    Reply,
    plot::{Draw, Line},
};

use crate::helpers::helper::Helper;

const PLOT: Helper = Helper { name: "xtask-plot", does: "draws the lines" };

/// The words around the lines.
pub(super) struct Labels {
    /// Above them.
    pub(super) title: &'static str,
    /// Below the horizontal axis.
    pub(super) across: &'static str,
    /// Beside the vertical axis.
    pub(super) up: &'static str,
}

/// Draws lines into a file.
pub(super) fn draw(file: &Path, labels: Labels, lines: Vec<Line>) -> anyhow::Result<()> {
    let Labels { title, across, up } = labels;
    let file = absolute(file)?;
    let request = Draw { file, title: title.to_owned(), across: across.to_owned(), up: up.to_owned(), lines };
    match PLOT.ask_blocking(&request)? {
        Reply::Answer(()) => Ok(()),
        Reply::Error(refusal) => Err(refusal.into()),
    }
}
