//! What is given without asking: variables of the environment, and a password on standard input.
//!
//! Never in an argument, where every process on the machine can read it.

use std::{
    env,
    io::{self, IsTerminal},
};

use anyhow::{Context, anyhow, bail};
use tokio::task::spawn_blocking;

/// What was typed as an argument, or else a variable.
pub(crate) fn argument(typed: Option<String>, name: &str) -> anyhow::Result<Option<String>> {
    if typed.is_some() { Ok(typed) } else { variable(name) }
}

/// A variable; an empty one is as none.
fn variable(name: &str) -> anyhow::Result<Option<String>> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    // Without the value, which may be a password.
    value.map(|value| value.into_string().map_err(|_| anyhow!("{name} is not UTF-8"))).transpose()
}

/// SUPERUSER_PASSWORD, or else the first line of standard input.
pub(crate) async fn password() -> anyhow::Result<String> {
    if let Some(password) = variable("SUPERUSER_PASSWORD")? {
        return Ok(password);
    }
    // Elsewhere, so that Ctrl-C is heard where nobody writes one.
    let reading = spawn_blocking(|| {
        let mut line = String::new();
        // A terminal would show it, and --noinput promises not to ask.
        if !io::stdin().is_terminal() {
            io::stdin().read_line(&mut line)?;
        }
        io::Result::Ok(line)
    });
    let line = reading.await?.context("read the password from standard input")?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => bail!(
            "no password was given; nothing was written\n  set SUPERUSER_PASSWORD, or write it to standard input as one line"
        ),
        password => Ok(password.to_owned()),
    }
}
