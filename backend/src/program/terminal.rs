//! Questions to the person at the terminal. A password stays hidden while it is typed, and however the question ends, the
//! terminal shows the input again.

use std::io::{self, IsTerminal};

use anyhow::{Context, bail};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use tokio::task::spawn_blocking;

use super::output::{question, remark};

/// The value that disables a special key of a terminal.
const NO_KEY: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// The terminal for questions.
pub(crate) struct Terminal(());

/// What becomes of an answer.
pub(crate) enum Judged<T> {
    /// It is good, and means this.
    Accepted(T),
    /// It is not, for this reason, which the person at the terminal is shown.
    Refused(String),
}

impl<T> Judged<T> {
    /// The value, or the error for an argument, which the program does not ask for again.
    pub(crate) fn of_argument(self, argument: &str) -> anyhow::Result<T> {
        match self {
            Judged::Accepted(value) => Ok(value),
            Judged::Refused(why) => bail!("{argument}: {why}; nothing was written"),
        }
    }
}

impl Terminal {
    /// Requires that standard input and standard error are a terminal. `instead` is the command for the error.
    pub(crate) fn open(instead: &str) -> anyhow::Result<Terminal> {
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            return Ok(Terminal(()));
        }
        bail!("there is no terminal to ask on; nothing was written\n  {instead}")
    }

    /// Asks until `judge` accepts the answer.
    pub(crate) async fn ask<T>(
        &self,
        what: &str,
        mut judge: impl AsyncFnMut(String) -> anyhow::Result<Judged<T>>,
    ) -> anyhow::Result<T> {
        loop {
            question(what);
            match judge(answer().await?).await? {
                Judged::Accepted(answer) => return Ok(answer),
                Judged::Refused(why) => remark(&format!("  {why}")),
            }
        }
    }

    /// Asks for a password twice, until both are equal and `judge` accepts it.
    pub(crate) async fn ask_password(
        &self,
        judge: impl Fn(&str) -> Result<(), String>,
    ) -> anyhow::Result<String> {
        // Before the first question, so that input typed right after it stays hidden.
        let _hidden = Hidden::begin().context("hide what is typed")?;
        loop {
            question("Password");
            let password = answer().await?;
            if let Err(why) = judge(&password) {
                remark(&format!("  {why}"));
                continue;
            }
            question("Password again");
            if answer().await? == password {
                return Ok(password);
            }
            remark("  the passwords do not match");
        }
    }
}

/// Reads a line of standard input.
async fn answer() -> anyhow::Result<String> {
    // On another thread, so that Ctrl-C ends the program meanwhile.
    let reading = spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|read| (read > 0).then_some(line))
    });
    match reading.await.context("read the answer")?.context("read the answer")? {
        Some(line) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        None => {
            // Ctrl-D leaves the cursor in the line.
            remark("");
            bail!("input closed; nothing was written")
        }
    }
}

/// A terminal that hides the input until this is dropped.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn begin() -> rustix::io::Result<Hidden> {
        let before = tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        // The end of the line stays visible.
        modes.local_modes.insert(LocalModes::ECHONL);
        // After Ctrl-Z and `fg`, the shell would have restored the terminal, and the password would be visible.
        modes.special_codes[SpecialCodeIndex::VSUSP] = NO_KEY;
        tcsetattr(io::stdin(), OptionalActions::Flush, &modes)?;
        Ok(Hidden { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // If the terminal is closed, it shows nothing anyway.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
