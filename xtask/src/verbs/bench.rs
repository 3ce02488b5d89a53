//! `cargo xtask bench`: measures our commands against a floor or a peer, in turn, in one run.
//!
//! Each figure is the median wall time of whole processes: what a person waits for. Compare the ratios, because they hold
//! when the machine's speed drifts. A slow result is not a failure.

mod catalogue;
mod client;
mod commands;
mod databases;
mod diff;
mod docker;
mod figures;
mod folder;
mod growth;
mod lines;
mod loading;
mod measured;
mod plot;
mod project;
mod scratch;
mod stage;
mod table;
mod tables;

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use tokio::time::sleep;

use self::table::Row;
use crate::{
    checkout::{Checkout, ServerChoice},
    terminal::{format::Format, interrupt::or_interrupted},
};

#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  cargo xtask bench
  cargo xtask bench --runs 30 --format json
  cargo xtask bench --server docker        measure the servers in Docker
  cargo xtask bench scratch                measure how tests get their databases, by every design
  cargo xtask bench catalogue              measure how schemas are read and compared
  cargo xtask bench diff                   measure how schemas are turned into each other
  cargo xtask bench growth                 measure how commands grow with a project

It starts a server of its own, in a folder of its own, and removes both.

Exit code 1: a command that it measures failed."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    subject: Option<Subject>,
    /// How often to run each command
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Compare how tests get their databases with `#[sqlx::test]`
    Scratch(scratch::Args),
    /// Compare reading a schema with `pg_dump`, and proving migrations with applying them
    Catalogue(catalogue::Args),
    /// Compare `diff` with `pg_dump` of one side
    Diff(diff::Args),
    /// Compare commands in a project with the same in one of a fifth of its size
    Growth(growth::Args),
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        match self.subject {
            Some(Subject::Scratch(args)) => return args.run(checkout).await,
            Some(Subject::Catalogue(args)) => return args.run(checkout).await,
            Some(Subject::Diff(args)) => return args.run(checkout).await,
            Some(Subject::Growth(args)) => return args.run(checkout).await,
            None => {}
        }
        let rows = or_interrupted(measure(checkout, self.runs)).await?;
        table::print(&rows, self.format);
        Ok(())
    }
}

async fn measure(checkout: &Checkout, runs: u32) -> anyhow::Result<Vec<Row>> {
    let measured = match checkout.server_choice(&checkout.project()?.postgres)? {
        ServerChoice::Docker => docker::measure(checkout, runs).await,
        _ => commands::measure(checkout, runs).await,
    };
    if measured.is_err() {
        // Ctrl-C also ends the measured command, and its error may arrive just before our own signal.
        sleep(Duration::from_millis(10)).await;
    }
    measured
}
