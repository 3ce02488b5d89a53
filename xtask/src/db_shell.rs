//! `cargo xtask db-shell`: psql on the development database.

use std::{ffi::OsString, io::IsTerminal, os::unix::process::CommandExt, path::PathBuf, process::Command};

use anyhow::{Context, anyhow};
use clap::Args as ClapArgs;
use migrations::Postgres;
use percent_encoding::percent_decode_str;
use xshell::{Shell, cmd};

use crate::{
    checkout::Checkout,
    server::{self, Chosen, Kind, Origin, Server},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask db-shell
  cargo xtask db-shell -- --command 'select version()'
  cargo xtask db-shell < script.sql

The exit code is psql's.")]
pub(crate) struct Args {
    /// Arguments for psql
    #[arg(last = true)]
    args: Vec<OsString>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let psql = psql(&project.postgres);
        // Only a container brings a psql of its own; for lack of one no other server need be started.
        let in_container = |chosen| matches!(chosen, Chosen::Own(own) if own.kind == Kind::Docker);
        if psql.is_err() && !in_container(server::choose(checkout, &project.postgres)?) {
            return psql.map(|_| ());
        }
        let server = server::find_existing(checkout, &project.postgres).await?;
        let sh = Shell::new()?;
        let args = self.args;
        let mut command: Command = match (psql, &server.origin) {
            (Ok(psql), _) => {
                let mut command: Command = cmd!(sh, "{psql} {args...}").into();
                surround(&mut command, &server);
                command
            }
            (Err(_), Origin::Docker { container, .. }) => {
                let docker = which::which("docker")
                    .context("docker is not on PATH; it would run the container's psql")?;
                let terminal = std::io::stdin().is_terminal().then_some("--tty");
                let (user, database) = (server.options.get_username(), server.database());
                // Inside of the container its own users need no password.
                cmd!(
                    sh,
                    "{docker} exec --interactive {terminal...} {container} psql --username {user} --dbname {database} {args...}"
                )
                .into()
            }
            (Err(error), _) => return Err(error),
        };
        // psql takes our place, so that Ctrl-C, job control and the exit code are its own.
        Err(anyhow!(command.exec()).context("start psql"))
    }
}

/// Says which database, in the environment rather than on the command line: everybody on the machine can read that.
fn surround(command: &mut Command, server: &Server) {
    let parameter = |wanted| {
        server.url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let password =
        server.url.password().map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    if let Some(password) = parameter("password").or(password) {
        command.env("PGPASSWORD", password);
    }
    if let Some(mode) = parameter("sslmode") {
        command.env("PGSSLMODE", mode);
    }
    let options = &server.options;
    let socket = options.get_socket().map(|path| path.display().to_string());
    command.env("PGHOST", socket.unwrap_or_else(|| options.get_host().to_owned()));
    command.env("PGPORT", options.get_port().to_string());
    command.env("PGUSER", options.get_username());
    command.env("PGDATABASE", server.database());
    command.env("PGAPPNAME", "cargo xtask db-shell");
}

/// psql, from PATH or from beside the server's programs, where Homebrew leaves it.
pub(crate) fn psql(postgres: &Postgres) -> anyhow::Result<PathBuf> {
    which::which("psql").or_else(|error| server::psql_of_binaries(postgres).ok_or(error)).context(
        "psql is not on this machine's PATH\n  Debian, Ubuntu: sudo apt-get install postgresql-client\n  macOS: brew \
         install libpq, and add its bin folder to PATH\n  or use another client: cargo xtask db-url",
    )
}
