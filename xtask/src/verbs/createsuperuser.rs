//! `cargo xtask createsuperuser`: creates an account that may do everything, on the development database.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::{checkout::Checkout, database::account_program};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask createsuperuser
  SUPERUSER_EMAIL=ada@example.org cargo xtask createsuperuser --noinput < password.txt

It asks for whatever is missing, and always for the password. With --noinput it reads
SUPERUSER_EMAIL, SUPERUSER_USERNAME, and the password from SUPERUSER_PASSWORD or, where that is
not set, from one line of standard input.

It builds and runs the account program that apps.toml names.

Exit codes: 1: refused and nothing was written, for instance because the address is taken or the
password is weak; 3: migrations or the reference data are missing.")]
pub(crate) struct Args {
    /// Ask no questions
    #[arg(long)]
    noinput: bool,
    /// The address to sign in with; case does not matter
    #[arg(long)]
    email: Option<OsString>,
    /// The user name, if it is not the address
    #[arg(long, value_name = "NAME")]
    username: Option<OsString>,
    // Accepted only to be refused, because the usual error would print the password.
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
