//! What the program says: results on standard output, everything else on standard error. Nothing else prints.

use std::io::{self, Write};

use anyhow::Context;

/// A line of the result.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("write to standard output")
}

/// A line to whoever is watching.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A question, which the answer follows on the same line.
pub(crate) fn question(text: &str) {
    let mut err = io::stderr();
    let _ = write!(err, "{text}: ");
    let _ = err.flush();
}
