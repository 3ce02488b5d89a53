//! `cargo xtask db-drop`: drops the development database, after checking that it does not matter.

use clap::Args as ClapArgs;

use crate::{
    checkout::Checkout,
    database::{
        dropping::{self, DropOptions},
        session::on_server,
    },
    server,
    terminal::{format::Format, interrupt::or_interrupted, output::Steps},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask db-drop

Exit code 4: refused, because the database is marked as something other than development or test, is on another machine, or has no marker; the message says what to pass.")]
pub(crate) struct Args {
    #[command(flatten)]
    destruction: DropOptions,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let postgres = checkout.postgres()?;
        let server = or_interrupted(server::start_existing(checkout, &postgres)).await?;
        let mut steps = Steps::new(Format::Text);
        on_server(&server, dropping::drop_database(&server, &self.destruction, "db-drop", &mut steps))
            .await
            .map(|_| ())
    }
}
