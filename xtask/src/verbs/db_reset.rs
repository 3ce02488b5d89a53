//! `cargo xtask db-reset`: drops the development database and sets it up again.

use clap::Args as ClapArgs;
use migrations::database::Found;

use crate::{
    checkout::Checkout,
    database::{
        dropping::{self, DropOptions},
        replacing::{self, BEING_BUILT},
        session::on_server,
        setting_up::{self, DEVELOPMENT, Setup},
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
            let found = dropping::may_drop(&server, &self.destruction, "db-reset").await?;
            if found == Found::Absent {
                setting_up::set_up(&server, &project, &setup, &mut steps).await?;
                return checking::step(checkout, &project, &server, &mut steps).await;
            }
            // Unless --environment says otherwise, the new database has the environment of the old one.
            let environment = match (setup.environment.replace(BEING_BUILT.to_owned()), found) {
                (Some(environment), _) => environment,
                (None, Found::Marked(marker)) => marker.environment,
                (None, _) => DEVELOPMENT.to_owned(),
            };
            let beside = replacing::beside(&server).await?;
            if let Err(error) = setting_up::set_up(&beside, &project, &setup, &mut steps).await {
                replacing::give_up(&beside).await?;
                steps.note(&format!("database `{}` was not touched", server.database()));
                return Err(error);
            }
            replacing::replace(&server, &beside, &environment, &self.destruction, &mut steps).await?;
            checking::step(checkout, &project, &server, &mut steps).await
        })
        .await;
        setting_up::finish(&server, &mut steps, &done);
        done
    }
}
