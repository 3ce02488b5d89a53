//! `backend`: the program of a deploy. It needs no cargo and no source tree, because it embeds the migrations.
//!
//! This file is its table of contents. Every verb has a file of its name in `program`.

mod program {
    pub(crate) mod called;
    pub(crate) mod changepassword;
    pub(crate) mod check;
    pub(crate) mod command_line;
    pub(crate) mod createsuperuser;
    pub(crate) mod database;
    pub(crate) mod exit;
    pub(crate) mod inputs;
    pub(crate) mod interrupt;
    pub(crate) mod migrate;
    pub(crate) mod output;
    pub(crate) mod terminal;
}

use std::process::ExitCode;

use anyhow::Context;

use crate::program::{
    check,
    command_line::{self, Command},
    exit,
    interrupt::or_interrupted,
    migrate, output,
};

fn main() -> ExitCode {
    let done = command_line::read().and_then(|command| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("start the async runtime")?;
        let done = runtime.block_on(or_interrupted(run(command)));
        // Without waiting for the thread that may still read standard input.
        runtime.shutdown_background();
        done
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failed(&error),
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Help(text) => output::line(&text),
        Command::Migrate => migrate::run().await,
        Command::Check => check::run().await,
        Command::CreateSuperuser(args) => args.run().await,
        Command::ChangePassword(args) => args.run().await,
    }
}
