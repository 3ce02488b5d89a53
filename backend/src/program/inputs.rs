//! Inputs without prompts: arguments, variables of the environment, and a password on standard input.
//!
//! A password is never an argument, because every process on the machine can read those.

use std::{
    env,
    io::{self, IsTerminal},
};

use anyhow::{Context, anyhow, bail};
use tokio::task::spawn_blocking;

/// An argument, or a variable if the argument is missing.
pub(crate) fn argument_or_variable(argument: Option<String>, name: &str) -> anyhow::Result<Option<String>> {
    if argument.is_some() { Ok(argument) } else { variable(name) }
}

/// A variable. An empty one counts as unset.
fn variable(name: &str) -> anyhow::Result<Option<String>> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    // Without the value, which may be a password.
    value.map(|value| value.into_string().map_err(|_| anyhow!("{name} is not UTF-8"))).transpose()
}

/// SUPERUSER_PASSWORD, or the first line of standard input if that is not set.
pub(crate) async fn password() -> anyhow::Result<String> {
    if let Some(password) = variable("SUPERUSER_PASSWORD")? {
        return Ok(password);
    }
    // On another thread, so that Ctrl-C ends the program while no line comes.
    let reading = spawn_blocking(|| {
        let mut line = String::new();
        // A terminal would show the password, and --noinput promises not to ask.
        if !io::stdin().is_terminal() {
            io::stdin().read_line(&mut line)?;
        }
        io::Result::Ok(line)
    });
    let line = reading.await?.context("read the password from standard input")?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => bail!(
            "no password; nothing was written\n  set SUPERUSER_PASSWORD, or write it to standard input as one line"
        ),
        password => Ok(password.to_owned()),
    }
}
