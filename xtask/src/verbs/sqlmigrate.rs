//! `cargo xtask sqlmigrate`: prints the SQL of one migration, exactly as `migrate` sends it. It needs no server.

use std::slice;

use anyhow::bail;
use clap::Args as ClapArgs;
use migrations::Down;

use crate::{checkout::Checkout, database::each::each_with, terminal::output};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask sqlmigrate APP 0001
  cargo xtask sqlmigrate APP 0002 --backwards

Exit code 1: there is no such app or migration, or no way back.")]
pub(crate) struct Args {
    /// The app of the migration
    app: String,
    /// The migration; its number is enough
    name: String,
    /// Print the SQL that reverts it
    #[arg(long)]
    backwards: bool,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        each_with(checkout, slice::from_ref(&self.app), async |one, _| self.print(one)).await
    }

    fn print(&self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let migration = project.migration(&self.app, &self.name)?;
        output::raw(match &migration.down {
            _ if !self.backwards => &migration.up.text,
            Down::Script(down) => &down.text,
            Down::Irreversible(line) => {
                bail!(
                    "{} has no way back, so no SQL reverts it\n  {}: {}",
                    migration.id,
                    line.place,
                    line.why
                )
            }
        });
        Ok(())
    }
}
