//! Runs Postgres's programs to their end, and deals with them if the caller stops waiting.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The time for the sessions of a killed server to notice that, and to release its memory.
pub(crate) const TO_LET_GO: Duration = Duration::from_secs(10);
/// The longest wait in `Drop`, which must be short. An immediate shutdown takes 8 ms.
pub(crate) const TO_DROP: Duration = Duration::from_millis(250);
/// The time for the child of a killed `initdb` to notice that, which it does between two of its steps.
const TO_END: Duration = Duration::from_secs(2);

/// What to do with a program if its starter stops waiting before the program is ready, or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// Leave it running; the next command finds it.
    Leave,
    /// Stop it; no other command can use it.
    Stop,
    /// Wait for it; it ends by itself within a moment.
    Finish,
}

/// A running program. Dropping it before its end applies `given_up`.
struct Program {
    handle: duct::Handle,
    given_up: GivenUp,
}

impl Drop for Program {
    fn drop(&mut self) {
        let began = Instant::now();
        // No effect if it has ended.
        let ends = match self.given_up {
            GivenUp::Leave => false,
            GivenUp::Stop => self.handle.kill().is_ok(),
            GivenUp::Finish => true,
        };
        if ends {
            // Until its own children have closed its output too.
            while matches!(self.handle.try_wait(), Ok(None)) && began.elapsed() < TO_END {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// Runs a program to its end without blocking the thread. If it fails, the error is the end of its output.
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
    // A single-user session exits with 0 even if a statement failed.
    let failed =
        said.lines().any(|line| ["ERROR:", "FATAL:", "PANIC:"].iter().any(|word| line.contains(word)));
    if !output.status.success() || failed {
        bail!("{}", last_lines(&said, 12));
    }
    Ok(())
}

/// The last `count` lines that are not blank.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

pub(crate) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  │ {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_skip_blank_ones() {
        assert_eq!(last_lines("one\n\ntwo\n\nthree\n", 2), "two\nthree");
        assert_eq!(last_lines("", 2), "");
    }
}
