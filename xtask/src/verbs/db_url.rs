//! `cargo xtask db-url`: prints the connection string of the development database, with its password.

use clap::Args as ClapArgs;

use crate::{checkout::Checkout, database::pending, server, terminal::output};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  DATABASE_URL=$(cargo xtask db-url) cargo run --package backend

It starts the server if necessary, so that the printed URL works.

Exit code 1: the server cannot be started.")]
pub(crate) struct Args {
    /// Print … in place of the password
    #[arg(long)]
    redacted: bool,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let server = server::start_existing(checkout, &checkout.postgres()?).await?;
        output::line(&if self.redacted { server.redacted() } else { server.url.to_string() });
        pending::warn(&server, checkout).await;
        Ok(())
    }
}
