//! How the program ends: its exit code, and its last words.

use std::{
    fmt,
    io::{self, IsTerminal},
    process::ExitCode,
};

use migrations::{Remedy, Report};

use super::{command_line::name, output::remark};

/// What the codes mean, for the help.
pub(crate) const CODES: &str = "\
Exit codes: 0 done, 1 error, 2 usage, 3 the database is not what this program needs, 5 somebody else migrates, \
130 interrupted.";

/// An end that is not simply an error.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The command line is wrong; why, and what would be right.
    Usage(String),
    /// The database is not what this program needs. How it differs was reported already.
    Differs,
    /// The same, with what it lacks and what helps.
    Behind(String),
    /// Ctrl-C, or a signal that asks to end.
    Interrupted,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stop::Usage(why) | Stop::Behind(why) => why,
            Stop::Differs => "the database is not what this program needs",
            Stop::Interrupted => "what was under way in a transaction is undone, what was done before stays",
        })
    }
}

impl std::error::Error for Stop {}

/// Says why, and returns the exit code of that kind of failure.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    let (word, code) = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(Stop::Differs), _) => return ExitCode::from(3),
        (Some(Stop::Usage(_)), _) => ("error", 2),
        (Some(Stop::Behind(_)), _) => ("error", 3),
        (Some(Stop::Interrupted), _) => ("interrupted", 130),
        (None, Some(migrations::Error::Locked { .. })) => ("error", 5),
        (None, _) => ("error", 1),
    };
    // A Ctrl-C is echoed in the middle of a line.
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
