//! The side of the program: it reads its request, writes its reply, and reports progress in between.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use anyhow::anyhow;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Kind, Refusal, Reply};

/// The verb, and the line that follows on standard input.
pub struct Call {
    /// The first argument; empty if there is none.
    pub verb: String,
    line: String,
}

impl Call {
    /// Reads both. Reads nothing after the line.
    ///
    /// # Errors
    /// When standard input can't be read.
    pub fn read() -> anyhow::Result<Call> {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(Call { verb: env::args().nth(1).unwrap_or_default(), line })
    }

    /// The request.
    ///
    /// # Errors
    /// When the line is no such request. The error does not repeat the line, which may hold a password.
    pub fn request<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_str(&self.line).map_err(|error| {
            let message = format!("the request is not what the verb `{}` takes: {error}", self.verb);
            Refusal::new(Kind::Other, message).into()
        })
    }

    /// The error for a verb that the program does not have.
    pub fn unknown_verb(&self, verbs: &[&str]) -> anyhow::Error {
        anyhow!("no verb `{}`: use one of {}", self.verb, verbs.join(", "))
    }
}

/// Writes the answer.
///
/// # Errors
/// When standard output can't be written.
pub fn answer(answer: impl Serialize) -> anyhow::Result<()> {
    write(&Reply::Answer(answer))
}

/// Ends the program: writes the refusal, if there is one, and returns the exit code.
pub fn end(done: Result<(), Refusal>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            // If this fails, no one is left to report it to.
            let _ = write(&Reply::<()>::Error(refusal));
            ExitCode::FAILURE
        }
    }
}

fn write<T: Serialize>(reply: &Reply<T>) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(reply)?;
    line.push('\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Reports one line of progress to people, on standard error.
pub fn note(line: &str) {
    let mut stderr = io::stderr();
    // On a terminal, `xtask` shows the step under way on this line.
    let start = if stderr.is_terminal() { "\r\x1b[2K" } else { "" };
    // Failing to report progress is no reason to fail.
    let _ = writeln!(stderr, "{start}{line}");
}
