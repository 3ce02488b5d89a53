//! Questions to whoever sits at the terminal. What is typed for a password is not seen, and however the question ends,
//! the terminal shows again what is typed.

use std::io::{self, IsTerminal};

use anyhow::{Context, bail};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use tokio::task::spawn_blocking;

use super::output::{question, remark};

/// What a terminal takes for "no key does this".
const NO_KEY: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// A terminal to ask at.
pub(crate) struct Terminal(());

impl Terminal {
    /// Ours, if somebody can read our questions and answer them; `instead` tells how to do without.
    pub(crate) fn find(instead: &str) -> anyhow::Result<Terminal> {
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            return Ok(Terminal(()));
        }
        bail!("there is no terminal to ask at; nothing was written\n  {instead}")
    }

    /// Asks until `judge` finds nothing wrong with the answer.
    pub(crate) async fn ask<T>(
        &self,
        what: &str,
        mut judge: impl AsyncFnMut(String) -> anyhow::Result<Result<T, String>>,
    ) -> anyhow::Result<T> {
        loop {
            question(what);
            match judge(answer().await?).await? {
                Ok(answer) => return Ok(answer),
                Err(why) => remark(&format!("  {why}")),
            }
        }
    }

    /// A password, typed twice; asked again until it is the same both times and `judge` finds nothing wrong.
    pub(crate) async fn ask_password(
        &self,
        judge: impl Fn(&str) -> Result<(), String>,
    ) -> anyhow::Result<String> {
        // Before the first question: whatever is typed once that is seen stays unseen.
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
            remark("  the two differ");
        }
    }
}

/// A line of standard input.
async fn answer() -> anyhow::Result<String> {
    // Elsewhere, so that Ctrl-C is heard meanwhile.
    let reading = spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|read| (read > 0).then_some(line))
    });
    match reading.await.context("read the answer")?.context("read the answer")? {
        Some(line) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        None => {
            // Ctrl-D ends no line.
            remark("");
            bail!("the answers ended; nothing was written")
        }
    }
}

/// A terminal that does not show what is typed, until this goes.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn begin() -> rustix::io::Result<Hidden> {
        let before = tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        // The end of the line is seen all the same.
        modes.local_modes.insert(LocalModes::ECHONL);
        // Whoever comes back after Ctrl-Z would type in the open: the shell has put the terminal right meanwhile.
        modes.special_codes[SpecialCodeIndex::VSUSP] = NO_KEY;
        tcsetattr(io::stdin(), OptionalActions::Flush, &modes)?;
        Ok(Hidden { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing anyway.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
