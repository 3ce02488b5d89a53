//! `cargo xtask db-url`: the one command that prints a password, because it is asked to.

use clap::Args as ClapArgs;

use crate::{checkout::Checkout, database::pending, server, terminal::output};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  DATABASE_URL=$(cargo xtask db-url) cargo run --package backend

It starts the server where it does not run, so that what it prints can be used.")]
pub(crate) struct Args {
    /// Print … for the password
    #[arg(long)]
    redacted: bool,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let server = server::start_existing(checkout, &project.postgres).await?;
        output::line(&if self.redacted { server.redacted() } else { server.url.to_string() });
        pending::warn(&server, &project).await;
        Ok(())
    }
}
