//! Questions to the person at the terminal.

use std::io::{self, IsTerminal as _};

use anyhow::{Context, bail};
use tokio::task::spawn_blocking;

use super::output;

/// Whether someone is there to answer.
pub(crate) fn can_be_answered() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether the answer is yes.
pub(crate) async fn is_yes(question: &str) -> anyhow::Result<bool> {
    loop {
        output::prompt(&format!("{question} [y/n] "));
        // On another thread, so that Ctrl-C ends the program meanwhile.
        let reading = spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|read| (read > 0).then_some(line))
        });
        let Some(line) = reading.await.context("read the answer")?.context("read the answer")? else {
            output::remark("");
            bail!("input closed; nothing was written");
        };
        match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}
