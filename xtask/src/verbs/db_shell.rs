//! `cargo xtask db-shell`: opens psql on the development database.

use std::{ffi::OsString, io::IsTerminal, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, anyhow};
use clap::Args as ClapArgs;
use xshell::{Shell, cmd};

use crate::{
    checkout::Checkout,
    database::{libpq::Variables, pending},
    server::{self, Chosen, Kind, Origin, psql::find_psql},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask db-shell
  cargo xtask db-shell --command 'select version()'
  cargo xtask db-shell < script.sql

It exits with the code of psql.")]
pub(crate) struct Args {
    /// Arguments for psql
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let postgres = checkout.postgres()?;
        let psql = find_psql(&postgres);
        // Only a container has a psql of its own. Without any psql, fail before starting another kind of server.
        let in_container = |chosen| matches!(chosen, Chosen::Own(own) if own.kind == Kind::Docker);
        if psql.is_err() && !in_container(server::choose(checkout, &postgres)?) {
            return psql.map(|_| ());
        }
        let server = server::start_existing(checkout, &postgres).await?;
        pending::warn(&server, checkout).await;
        let sh = Shell::new()?;
        let args = self.args;
        let mut command: Command = match (psql, &server.origin) {
            (Ok(psql), _) => {
                let mut command: Command = cmd!(sh, "{psql} {args...}").into();
                Variables::for_database(&server.url, &server.options).give_to(&mut command);
                command.env("PGAPPNAME", "cargo xtask db-shell");
                command
            }
            (Err(_), Origin::Docker { container, .. }) => {
                let docker = which::which("docker")
                    .context("docker is not on PATH; it would run the container's psql")?;
                let terminal = std::io::stdin().is_terminal().then_some("--tty");
                let (user, database) = (server.options.get_username(), server.database());
                // Inside the container, its own users need no password.
                cmd!(
                    sh,
                    "{docker} exec --interactive {terminal...} {container} psql --username {user} --dbname {database} {args...}"
                )
                .into()
            }
            (Err(error), _) => return Err(error),
        };
        // psql replaces this process, so that it handles Ctrl-C and job control and sets the exit code.
        Err(anyhow!(command.exec()).context("start psql"))
    }
}
