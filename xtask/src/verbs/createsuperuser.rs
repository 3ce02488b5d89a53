//! `cargo xtask createsuperuser`: an account that may do everything, on the development database.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::{checkout::Checkout, database::account_program};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask createsuperuser
  SUPERUSER_EMAIL=ada@example.org cargo xtask createsuperuser --noinput < password.txt

It asks for what is not given, and for the password always. With --noinput it takes
SUPERUSER_EMAIL, SUPERUSER_USERNAME, and the password from SUPERUSER_PASSWORD or, where that is
not set, from one line of standard input.

The program that apps.toml names does it, and is built for that.

Exit codes: 1: refused, as for an address that is taken or a password that is guessed soon, and
nothing was written; 3: migrations or the reference data are missing.")]
pub(crate) struct Args {
    /// Ask nothing
    #[arg(long)]
    noinput: bool,
    /// The address that it signs in with, in whatever case
    #[arg(long)]
    email: Option<OsString>,
    /// Its name, unless it is the address too
    #[arg(long, value_name = "NAME")]
    username: Option<OsString>,
    // Taken so that it can be refused without being repeated.
    #[arg(long, hide = true, num_args = 0.., default_missing_value = "")]
    password: Vec<OsString>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        account_program::refuse_password(&self.password)?;
        let mut args: Vec<OsString> = Vec::new();
        args.extend(self.noinput.then(|| "--noinput".into()));
        for (name, value) in [("--email", self.email), ("--username", self.username)] {
            args.extend(value.into_iter().flat_map(|value| [name.into(), value]));
        }
        account_program::run(checkout, "createsuperuser", args).await
    }
}
