//! The exit code, and the last message.

use std::{
    fmt,
    io::{self, IsTerminal},
    process::ExitCode,
};

use migrations::{Remedy, Report};

use super::{called::name, output::remark};

/// The exit codes, for the help.
pub(crate) const CODES: &str = "\
Exit codes: 0 done, 1 error, 2 usage, 3 the database lacks what this program needs, 4 the database is \
read-only or behind a connection pooler, 5 another session is migrating, 130 interrupted.";

/// An end that is not simply an error.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The command line is wrong; the reason and the right usage.
    Usage(String),
    /// The database is not what this program needs. The differences were printed already.
    Differs,
    /// The same, with the difference and the command that helps.
    Behind(String),
    /// Ctrl-C, or another signal to end.
    Interrupted,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stop::Usage(why) | Stop::Behind(why) => why,
            Stop::Differs => "the database is not what this program needs",
            Stop::Interrupted => "the open transaction was rolled back; earlier ones stay committed",
        })
    }
}

impl std::error::Error for Stop {}

/// Prints the error, and returns its exit code.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    let (word, code) = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(Stop::Differs), _) => return ExitCode::from(3),
        (Some(Stop::Usage(_)), _) => ("error", 2),
        (Some(Stop::Behind(_)), _) => ("error", 3),
        (Some(Stop::Interrupted), _) => ("interrupted", 130),
        (None, Some(migrations::Error::NoStatement { .. })) => ("error", 3),
        (None, Some(migrations::Error::ReadOnly { .. } | migrations::Error::Pooler { .. })) => ("refused", 4),
        (None, Some(migrations::Error::Locked { .. })) => ("error", 5),
        (None, _) => ("error", 1),
    };
    // At Ctrl-C, the cursor of a terminal is in the middle of a line.
    let start = if code == 130 && io::stderr().is_terminal() { "\n" } else { "" };
    remark(&format!("{start}{word}: {}{}", Report::new(error.as_ref()), remedy(error)));
    ExitCode::from(code)
}

/// What to type, as a last line. It has to work where there is nothing but this program.
fn remedy(error: &anyhow::Error) -> String {
    match error.downcast_ref().and_then(migrations::Error::remedy) {
        Some(Remedy::Adopt) => {
            format!("\n  or move what is there out of the way, and run it again: {} migrate", name())
        }
        _ => String::new(),
    }
}
