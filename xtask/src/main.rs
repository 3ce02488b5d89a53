//! `cargo xtask`: the one door to the database workflow.
//!
//! This file is its table of contents; every verb has a file of its name. Not here: what a production deploy needs, which
//! is in `migrations`.

mod adopt;
mod bench;
mod catalogue;
mod changepassword;
mod checkout;
mod child;
mod ci;
mod cli;
mod completions;
mod createsuperuser;
mod db_check;
mod db_drop;
mod db_reset;
mod db_setup;
mod db_shell;
mod db_url;
mod differences;
mod direction;
mod dumpdata;
mod edits;
mod erd;
mod exit;
mod flush;
mod git;
mod graph;
mod inspect;
mod interrupt;
mod libpq;
mod loaddata;
mod makemigrations;
mod migrate;
mod migrated;
mod output;
mod packages;
mod pending;
mod picture;
mod prepare;
mod program;
mod renumber;
mod rows;
mod safety;
mod scratch;
mod seed;
mod server;
mod session;
mod showmigrations;
mod sqlmigrate;
mod sqlx;
mod test;
mod verify;

use std::process::ExitCode;

use crate::{
    checkout::Checkout,
    cli::{Cli, Verb},
    interrupt::or_interrupted,
};

fn main() -> ExitCode {
    let cli = cli::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&anyhow::Error::new(error).context("start the async runtime")),
    };
    let done = runtime.block_on(run(cli));
    // Without waiting for a program that we started and were told to leave.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failed(&error),
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    interrupt::listen()?;
    let checkout = Checkout::new(cli.server)?;
    match cli.verb {
        Verb::DbSetup(args) => args.run(&checkout).await,
        Verb::DbCheck(args) => args.run(&checkout).await,
        Verb::DbReset(args) => args.run(&checkout).await,
        Verb::DbDrop(args) => args.run(&checkout).await,
        Verb::DbUrl(args) => or_interrupted(args.run(&checkout)).await,
        Verb::DbShell(args) => or_interrupted(args.run(&checkout)).await,
        Verb::Makemigrations(args) => args.run(&checkout),
        Verb::Renumber(args) => args.run(&checkout).await,
        Verb::Migrate(args) => args.run(&checkout).await,
        Verb::Adopt(args) => args.run(&checkout).await,
        Verb::Inspect(args) => args.run(&checkout).await,
        Verb::Showmigrations(args) => args.run(&checkout).await,
        Verb::Sqlmigrate(args) => args.run(&checkout),
        Verb::Sqlx(args) => args.run(&checkout).await,
        Verb::Erd(args) => args.run(&checkout).await,
        Verb::Graph(args) => args.run(&checkout),
        Verb::Seed(args) => args.run(&checkout).await,
        Verb::Flush(args) => args.run(&checkout).await,
        Verb::Dumpdata(args) => args.run(&checkout).await,
        Verb::Loaddata(args) => args.run(&checkout).await,
        Verb::Createsuperuser(args) => or_interrupted(args.run(&checkout)).await,
        Verb::Changepassword(args) => or_interrupted(args.run(&checkout)).await,
        Verb::Prepare(args) => args.run(&checkout).await,
        Verb::Verify(args) => args.run(&checkout).await,
        Verb::Test(args) => args.run(&checkout).await,
        Verb::Scratch(args) => args.run(&checkout).await,
        Verb::Ci(args) => args.run(&checkout).await,
        Verb::Bench(args) => args.run(&checkout).await,
        Verb::Completions(args) => {
            args.run();
            Ok(())
        }
        Verb::Server(args) => args.run(&checkout).await,
    }
}
