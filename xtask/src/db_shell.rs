//! `cargo xtask db-shell`: psql on the development database.

use std::{ffi::OsString, os::unix::process::CommandExt, path::PathBuf, process::Command};

use anyhow::{Context, anyhow};
use clap::Args as ClapArgs;
use percent_encoding::percent_decode_str;
use xshell::{Shell, cmd};

use crate::{checkout::Checkout, server};

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
        let psql = psql()?;
        let server = server::find_existing(checkout, &project.postgres).await?;
        let sh = Shell::new()?;
        let args = self.args;
        let mut command: Command = cmd!(sh, "{psql} {args...}").into();
        // The environment, not the command line: everybody on the machine can read that.
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
        command.env(
            "PGHOST",
            options.get_socket().map_or_else(|| options.get_host().into(), |path| path.display().to_string()),
        );
        command.env("PGPORT", options.get_port().to_string());
        command.env("PGUSER", options.get_username());
        command.env("PGDATABASE", server.database());
        command.env("PGAPPNAME", "cargo xtask db-shell");
        // psql takes our place, so that Ctrl-C, job control and the exit code are its own.
        Err(anyhow!(command.exec()).context("start psql"))
    }
}

/// psql, from PATH or from beside the server's programs.
pub(crate) fn psql() -> anyhow::Result<PathBuf> {
    which::which("psql").context(
        "psql is not on this machine's PATH\n  Debian, Ubuntu: sudo apt-get install postgresql-client\n  macOS: brew \
         install libpq, and add its bin folder to PATH\n  or use another client: cargo xtask db-url",
    )
}
