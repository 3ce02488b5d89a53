//! `cargo xtask db-reset`: drops the development database and sets it up again.

use clap::Args as ClapArgs;
use migrations::database::Found;

use crate::{
    checkout::Checkout,
    database::{
        dropping::{self, DropOptions},
        session::on_server,
        setting_up::{self, Setup},
    },
    server,
    terminal::{format::Format, interrupt::or_interrupted, output::Steps},
    throwaway::checking,
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask db-reset

Exit code 4: refused, because the database might matter; the message says what to pass.")]
pub(crate) struct Args {
    #[command(flatten)]
    destruction: DropOptions,
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
        let server = or_interrupted(server::start(checkout, &project.postgres)).await?;
        let mut setup = self.setup;
        let done = on_server(&server, async {
            setting_up::may_create(&server, &project).await?;
            let found = dropping::drop_database(&server, &self.destruction, "db-reset", &mut steps).await?;
            // Unless --environment says otherwise, the new database has the environment of the old one.
            if let (None, Found::Marked(marker)) = (&setup.environment, found) {
                setup.environment = Some(marker.environment);
            }
            setting_up::set_up(&server, &project, &setup, &mut steps).await?;
            checking::step(checkout, &project, &server, &mut steps).await
        })
        .await;
        setting_up::finish(&server, &mut steps, &done);
        done
    }
}
