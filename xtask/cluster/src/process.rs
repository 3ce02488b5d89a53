//! Runs Postgres's own programs to their end, and what becomes of them when the wait is given up.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// For what a killed server leaves behind to notice, and to let go of its memory.
pub(crate) const TO_LET_GO: Duration = Duration::from_secs(10);
/// In `Drop`, which must not wait for long; an immediate shutdown takes 8 ms.
pub(crate) const TO_DROP: Duration = Duration::from_millis(250);
/// For what a killed `initdb` had started to notice, which it does between two of its steps.
const TO_END: Duration = Duration::from_secs(2);

/// What becomes of a program whose starter is interrupted before it is ready, or at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// It goes on, and the next command finds it.
    Leave,
    /// It is of no use to anybody else.
    Stop,
    /// It ends by itself within a moment, and is waited for.
    Finish,
}

/// A program that was started. Dropped while it is being waited for, it is what `given_up` says.
struct Program {
    handle: duct::Handle,
    given_up: GivenUp,
}

impl Drop for Program {
    fn drop(&mut self) {
        let began = Instant::now();
        // Without effect where it has ended.
        let ends = match self.given_up {
            GivenUp::Leave => false,
            GivenUp::Stop => self.handle.kill().is_ok(),
            GivenUp::Finish => true,
        };
        if ends {
            // Until what it had started has let go of its output too.
            while matches!(self.handle.try_wait(), Ok(None)) && began.elapsed() < TO_END {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// Runs a program to its end without blocking the thread; the error is what it printed.
pub(crate) async fn run_to_end(command: duct::Expression, given_up: GivenUp) -> anyhow::Result<()> {
    let handle = command.stderr_to_stdout().stdout_capture().unchecked().start().context("start it")?;
    let program = Program { handle, given_up };
    let output = loop {
        if let Some(output) = program.handle.try_wait().context("wait for it")? {
            break output;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    // A single-user session ends well even if its statements failed.
    let failed =
        said.lines().any(|line| ["ERROR:", "FATAL:", "PANIC:"].iter().any(|word| line.contains(word)));
    if !output.status.success() || failed {
        bail!("{}", last_lines(&said, 12));
    }
    Ok(())
}

pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

pub(crate) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  │ {line}")).collect::<Vec<_>>().join("\n")
}
