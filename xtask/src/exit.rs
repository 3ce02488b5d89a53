//! How a command ends: its exit code, and its last words on standard error.

use std::{
    fmt,
    process::{ExitCode, ExitStatus},
};

use migrations::{Remedy, Report};

use crate::output;

/// An end that is not simply an error.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Pending work, drift or a failed proof. What it is was reported already.
    Differs,
    /// The command line asks for what is not to be had.
    Usage(String),
    /// The same, where it was not reported yet.
    Unfit(String),
    /// Too dangerous without being told explicitly.
    Refused(String),
    /// Another session has what we need, and kept it for longer than we wait.
    Locked(String),
    /// Ctrl-C, or a signal that asks to end; with what became of the work.
    Interrupted,
    /// Another program's exit code, passed on.
    Code(u8),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Differs => f.write_str("the database is not as it should be"),
            Stop::Usage(why) | Stop::Unfit(why) | Stop::Refused(why) | Stop::Locked(why) => f.write_str(why),
            Stop::Interrupted => {
                f.write_str("what was under way in a transaction is undone, what was done before stays")
            }
            Stop::Code(code) => write!(f, "a command ended with exit code {code}"),
        }
    }
}

impl std::error::Error for Stop {}

/// The end of a program that we ran for somebody: its exit code is ours, and 1 where a signal ended it.
pub(crate) fn as_it_ended(status: ExitStatus) -> anyhow::Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Stop::Code(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)).into())
}

/// Says why, and returns the exit code of that kind of failure.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    let (word, code) = match (error.downcast_ref::<Stop>(), error.downcast_ref::<migrations::Error>()) {
        (Some(Stop::Differs), _) => return ExitCode::from(3),
        (Some(Stop::Code(code)), _) => return ExitCode::from(*code),
        (Some(Stop::Usage(_)), _) => ("error", 2),
        (Some(Stop::Unfit(_)), _) => ("error", 3),
        (Some(Stop::Refused(_)), _) => ("refused", 4),
        (Some(Stop::Locked(_)), _) => ("error", 5),
        (Some(Stop::Interrupted), _) => ("interrupted", 130),
        (None, Some(migrations::Error::Locked { .. })) => ("error", 5),
        (None, _) => ("error", 1),
    };
    output::complain(word, &format!("{}{}", Report::new(error.as_ref()), remedy(error)));
    ExitCode::from(code)
}

/// What to type, as a last line.
fn remedy(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref().and_then(migrations::Error::remedy) {
        Some(Remedy::Adopt) => "\n  record it: cargo xtask adopt",
        Some(Remedy::Renumber) => "\n  renumber it: cargo xtask renumber",
        _ => "",
    }
}
