//! `cargo xtask db-setup`: sets up a running, migrated, seeded and checked database from nothing.

use clap::Args as ClapArgs;

use crate::{
    checkout::Checkout,
    database::{
        session::on_server,
        setting_up::{Setup, finish, set_up},
    },
    server,
    terminal::{format::Format, interrupt::or_interrupted, output::Steps},
    throwaway::checking,
};

#[derive(Debug, Clone, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask db-setup

Run it as often as you like: it keeps what already exists.

The last step is all that db-check checks.

Exit code 3: the database is not what the files say.")]
pub(crate) struct Args {
    #[command(flatten)]
    setup: Setup,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let mut steps = Steps::new(self.format);
        steps.doing("server", "looking for one");
        let server = or_interrupted(server::start(checkout, &project.postgres)).await?;
        let done = on_server(&server, async {
            set_up(&server, &project, &self.setup, &mut steps).await?;
            checking::step(checkout, &project, &server, &mut steps).await
        })
        .await;
        finish(&server, &mut steps, &done);
        done
    }
}
