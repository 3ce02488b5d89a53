//! The program that a deploy runs, on the development database: verbs that concern what is in the tables are its own.

use std::{ffi::OsString, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, anyhow};
use tokio::task::spawn_blocking;
use xshell::{Shell, cmd};

use crate::{checkout::Checkout, database::session, helpers::built, server, terminal::exit::Stop};

/// Runs a verb of it in our place, so that the terminal, Ctrl-C and the exit code are its own.
pub(crate) async fn run(checkout: &Checkout, verb: &str, args: Vec<OsString>) -> anyhow::Result<()> {
    let project = checkout.project()?;
    let package = project.program.clone().with_context(|| {
        format!(
            "{} names no program, and `{verb}` is for that to do\n  name its package at the top: program = \"PACKAGE\"",
            checkout.migrations().join("apps.toml").display()
        )
    })?;
    let server = server::start_existing(checkout, &project.postgres).await?;
    // What keeps us from the database is told in the words of all verbs.
    session::open_read_only(&server, &project).await?.close().await;
    let root = checkout.workspace.clone();
    let building = spawn_blocking(move || built::awaited(&root, &package, "works on accounts"));
    let program = building.await.context("wait for cargo")??;
    let sh = Shell::new()?;
    let mut command: Command = cmd!(sh, "{program} {verb} {args...}").into();
    // It calls itself as it was called, and so its errors name commands that are there.
    command.arg0("cargo xtask").env("DATABASE_URL", server.url.as_str());
    Err(anyhow!(command.exec()).context("start the program"))
}

/// Refuses a password that was typed as an argument.
pub(crate) fn refuse_password(args: &[OsString]) -> anyhow::Result<()> {
    if args.is_empty() {
        return Ok(());
    }
    let why = "a password is never taken from the command line, where every process on the machine can read it\n  \
               type it when asked, or with --noinput: set SUPERUSER_PASSWORD, or write it to standard input as one line";
    Err(Stop::Usage(why.to_owned()).into())
}
