//! How a command ends: its exit code, and its error on standard error.

use std::{
    fmt,
    process::{ExitCode, ExitStatus},
};

use crate::terminal::output;

/// An end with an exit code or a first word of its own.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Pending work, drift or a failed proof that the command has reported already.
    Differs,
    /// The command line makes no sense.
    Usage(String),
    /// Pending work, drift or a failed proof, still to be reported.
    Unfit(String),
    /// Too dangerous without an explicit confirmation.
    Refused(String),
    /// Timed out waiting for a lock that another session holds.
    Locked(String),
    /// Ctrl-C, or another signal that asks this process to end.
    Interrupted,
    /// Another program's exit code, passed on.
    Code(u8),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Differs => f.write_str("the database differs from what it should be"),
            Stop::Usage(why) | Stop::Unfit(why) | Stop::Refused(why) | Stop::Locked(why) => f.write_str(why),
            Stop::Interrupted => f.write_str("any open transaction was rolled back; earlier changes stay"),
            Stop::Code(code) => write!(f, "a command ended with exit code {code}"),
        }
    }
}

impl std::error::Error for Stop {}

/// Passes on the exit code of a program that we ran; 1 if a signal killed it.
pub(crate) fn pass_on(status: ExitStatus) -> anyhow::Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Stop::Code(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)).into())
}

/// Prints `words` as the reason for a failure, and returns its exit code.
pub(crate) fn failed(error: &anyhow::Error, words: &str) -> ExitCode {
    let (word, code) = match error.downcast_ref() {
        Some(Stop::Differs) => return ExitCode::from(3),
        Some(Stop::Code(code)) => return ExitCode::from(*code),
        Some(Stop::Usage(_)) => ("error", 2),
        Some(Stop::Unfit(_)) => ("error", 3),
        Some(Stop::Refused(_)) => ("refused", 4),
        Some(Stop::Locked(_)) => ("error", 5),
        Some(Stop::Interrupted) => ("interrupted", 130),
        None => ("error", 1),
    };
    output::complain(word, words);
    ExitCode::from(code)
}
