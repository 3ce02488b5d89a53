//! Runs a verb of the program that a deploy ships, on the development database. Verbs that work on accounts are its own.

use std::{ffi::OsString, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, anyhow};
use tokio::task::spawn_blocking;
use xshell::{Shell, cmd};

use crate::{checkout::Checkout, database::session, helpers::built, server, terminal::exit::Stop};

/// Replaces this process by the program, so that the terminal, Ctrl-C and the exit code are the program's.
pub(crate) async fn run(checkout: &Checkout, verb: &str, args: Vec<OsString>) -> anyhow::Result<()> {
    let project = checkout.project()?;
    let package = project.program.clone().with_context(|| {
        format!(
            "{} names no program, and `{verb}` is a verb of that program\n  name its package at the top: program = \"PACKAGE\"",
            checkout.migrations().join("apps.toml").display()
        )
    })?;
    let server = server::start_existing(checkout, &project.postgres).await?;
    // If the database is unreachable, every verb should report it in the same words.
    session::open_read_only(&server, &project).await?.close().await;
    let root = checkout.workspace.clone();
    let building =
        spawn_blocking(move || built::program_or_first_build(&root, &package, "works on accounts"));
    let program = building.await.context("wait for cargo")??;
    let sh = Shell::new()?;
    let mut command: Command = cmd!(sh, "{program} {verb} {args...}").into();
    // The program's errors quote the name that it was called by, and this is the one that works here.
    command.arg0("cargo xtask").env("DATABASE_URL", server.url.as_str());
    Err(anyhow!(command.exec()).context("start the program"))
}

/// Refuses a password that was typed as an argument.
pub(crate) fn refuse_password(args: &[OsString]) -> anyhow::Result<()> {
    if args.is_empty() {
        return Ok(());
    }
    let why = "a password is never taken from the command line, where every process on the machine can read it\n  \
               type it at the prompt, or with --noinput: set SUPERUSER_PASSWORD, or write it to standard input as one line";
    Err(Stop::Usage(why.to_owned()).into())
}
