//! The program of a deploy, on the development database. Verbs that work on the rows of an app are its own.

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
    os::unix::process::CommandExt,
    process::Command,
};

use anyhow::{Context, anyhow, bail};
use tokio::task::spawn_blocking;
use xshell::{Shell, cmd};

use crate::{
    checkout::Checkout,
    database::{libpq::Variables, session},
    helpers::built,
    server,
};

/// Refuses what the program would refuse too, but after it was built, which takes minutes.
fn require_terminal(args: &[OsString], without: &str) -> anyhow::Result<()> {
    // What an option means, only the program can say.
    let asks = !args.iter().any(|arg| arg.as_encoded_bytes().starts_with(b"-"));
    if asks && !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        bail!("there is no terminal to ask on; nothing was written\n  without one: cargo xtask {without}");
    }
    Ok(())
}

/// Replaces this process by the program, so that the terminal, Ctrl-C and the exit code are the program's.
///
/// `without` is the command for those who have no terminal.
pub(crate) async fn run(
    checkout: &Checkout,
    verb: &str,
    args: Vec<OsString>,
    without: &str,
) -> anyhow::Result<()> {
    let project = checkout.project()?;
    let package = project.program.clone().with_context(|| {
        format!(
            "{} names no program, and `{verb}` is a verb of that program\n  name its package at the top: program = \"PACKAGE\"",
            checkout.migrations().join("apps.toml").display()
        )
    })?;
    if !built::is_ready(&checkout.workspace, &package) {
        require_terminal(&args, without)?;
    }
    let server = server::start_existing(checkout, &project.postgres).await?;
    // So that a database that can't be reached is reported in the same words by all verbs.
    session::open_read_only(&server, &project).await?.close().await;
    let (root, does) = (checkout.workspace.clone(), format!("does `{verb}`"));
    let building = spawn_blocking(move || built::program_or_first_build(&root, &package, &does));
    let program = building.await.context("wait for cargo")??;
    let sh = Shell::new()?;
    let mut command: Command = cmd!(sh, "{program} {verb} {args...}").into();
    // Its messages repeat the name by which it was called, so they show commands that exist here.
    command.arg0("cargo xtask").env("DATABASE_URL", server.url.as_str());
    Variables::for_database(&server.url, &server.options).give_to(&mut command);
    Err(anyhow!(command.exec()).context("start the program"))
}
