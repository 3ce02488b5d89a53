//! `cargo xtask db-reset`: drops the development database and sets it up again.

use clap::Args as ClapArgs;
use migrations::database::Found;

use crate::{
    checkout::Checkout,
    cli::Format,
    db_drop::{self, Destruction},
    db_setup::{self, Setup},
    interrupt::or_interrupted,
    output::Steps,
    server,
    session::on_server,
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask db-reset

Exit code 4: as for db-drop.")]
pub(crate) struct Args {
    #[command(flatten)]
    destruction: Destruction,
    #[command(flatten)]
    setup: Setup,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let mut steps = Steps::new(self.format);
        let server = or_interrupted(server::find(checkout, &project.postgres)).await?;
        let mut setup = self.setup;
        let done = on_server(&server, async {
            db_setup::may_create(&server, &project).await?;
            let found = db_drop::drop(&server, &self.destruction, "db-reset", &mut steps).await?;
            // What it was for it is for again, unless something else was asked for.
            if let (None, Found::Marked(marker)) = (&setup.environment, found) {
                setup.environment = Some(marker.environment);
            }
            db_setup::set_up(&server, &project, &setup, &mut steps).await
        })
        .await;
        db_setup::finish(&server, &mut steps, &done);
        done
    }
}
