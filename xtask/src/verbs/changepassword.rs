//! `cargo xtask changepassword`: somebody's password, set anew on the development database.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::{checkout::Checkout, database::account_program};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask changepassword ada@example.org
  cargo xtask changepassword ada@example.org --noinput < password.txt

It asks for the address where none is given, and for the password always. With --noinput it
takes SUPERUSER_EMAIL where no address is given, and the password from SUPERUSER_PASSWORD or,
where that is not set, from one line of standard input. All sessions of the account end.

The program that apps.toml names does it, and is built for that.

Exit codes: 1: refused, as for an unknown address or a password that is guessed soon, and nothing
was written; 3: migrations or the reference data are missing.")]
pub(crate) struct Args {
    /// The address of the account
    email: Option<OsString>,
    /// Ask nothing
    #[arg(long)]
    noinput: bool,
    // Taken so that it can be refused without being repeated.
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
