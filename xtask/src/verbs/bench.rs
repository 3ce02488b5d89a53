//! `cargo xtask bench`: our commands against a floor or a peer, in turn, in one run.
//!
//! Figures are whole processes, wall time, medians: what a person waits for. A ratio holds where the machine's speed
//! drifts, so that is what to compare; nothing here fails for being slow.

mod commands;
mod docker;
mod figures;
mod folder;
mod measured;
mod plot;
mod scratch;
mod stage;
mod table;

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
  cargo xtask bench --server docker        the servers in Docker instead
  cargo xtask bench scratch                the databases of tests, by every design

It works on a server of its own, in a folder of its own, and removes both."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    of: Option<Of>,
    /// Counted runs of each command
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Of {
    /// How tests get their databases, beside `#[sqlx::test]`
    Scratch(scratch::Args),
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        if let Some(Of::Scratch(args)) = self.of {
            return args.run(checkout).await;
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
        // Ctrl-C ends the measured command too, and we hear of it a moment later.
        sleep(Duration::from_millis(10)).await;
    }
    measured
}
