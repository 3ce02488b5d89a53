//! Output: results on standard output, everything else on standard error. No other module prints.

use std::io::{self, Write};

use anyhow::Context;

/// Prints a line of the result.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{}", printable(text)).context("write to standard output")
}

/// Prints a line to standard error.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(text));
}

/// Prints a question. The person answers on the same line.
pub(crate) fn question(text: &str) {
    let mut err = io::stderr();
    let _ = write!(err, "{}: ", printable(text));
    let _ = err.flush();
}

/// A text as a terminal may get it. Control characters, which a file's name, a row or a server's message may contain, could
/// move the cursor or change what is on the screen, so they are written out.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\n' | '\t') {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}
