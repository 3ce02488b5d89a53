//! Failures that do not end a command.

use crate::terminal::exit::Stop;

/// An interruption ends the check; any other failure to build what should be is the reason why it was not compared.
pub(super) fn or_why<T>(done: anyhow::Result<T>) -> anyhow::Result<Result<T, String>> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(error) if matches!(error.downcast_ref(), Some(Stop::Interrupted)) => Err(error),
        Err(error) => {
            let text = format!("{:#}", migrations::Report::new(error.as_ref()));
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            Ok(Err(lines.join("; ")))
        }
    }
}
