//! `cargo xtask changepassword`: runs that verb of the program that `apps.toml` names, on the development database.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::{checkout::Checkout, database::account_program};

/// The command for those who have no terminal.
const WITHOUT_TERMINAL: &str = "changepassword EMAIL --noinput, with SUPERUSER_PASSWORD set";

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask changepassword ada@example.org
  cargo xtask changepassword -- --help      the options

Cargo builds the program that apps.toml names, if need be, and the program does the rest: it gets the
arguments, the environment and the terminal, and the exit code is its own.")]
pub(crate) struct Args {
    /// Arguments for the program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        account_program::run(checkout, "changepassword", self.args, WITHOUT_TERMINAL).await
    }
}
