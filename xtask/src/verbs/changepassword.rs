//! `cargo xtask changepassword`: sets the password of an account on the development database.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::{checkout::Checkout, database::account_program};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask changepassword ada@example.org
  cargo xtask changepassword ada@example.org --noinput < password.txt

It asks for the address if it is missing, and always for the password. With --noinput it reads
SUPERUSER_EMAIL if the address is missing, and the password from SUPERUSER_PASSWORD or, where that
is not set, from one line of standard input. It ends all sessions of the account.

It builds and runs the account program that apps.toml names.

Exit codes: 1: refused and nothing was written, for instance because the address is unknown or the
password is weak; 3: migrations or the reference data are missing.")]
pub(crate) struct Args {
    /// The address of the account
    email: Option<OsString>,
    /// Ask no questions
    #[arg(long)]
    noinput: bool,
    // Accepted only to be refused, because the usual error would print the password.
    #[arg(hide = true)]
    more: Vec<OsString>,
    #[arg(long, hide = true, num_args = 0.., default_missing_value = "")]
    password: Vec<OsString>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        account_program::refuse_password(&[self.more, self.password].concat())?;
        let mut args: Vec<OsString> = self.email.into_iter().collect();
        args.extend(self.noinput.then(|| "--noinput".into()));
        account_program::run(checkout, "changepassword", args).await
    }
}
