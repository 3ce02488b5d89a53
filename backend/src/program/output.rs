//! Output: results on standard output, everything else on standard error. No other module prints.

use std::io::{self, Write};

use anyhow::Context;

/// Prints a line of the result.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("write to standard output")
}

/// Prints a line to standard error.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints a question. The person answers on the same line.
pub(crate) fn question(text: &str) {
    let mut err = io::stderr();
    let _ = write!(err, "{text}: ");
    let _ = err.flush();
}
