//! The real sqlx-cli, in the version of the lock file. Only `cargo xtask sqlx` runs this program, with an app's settings in
//! the arguments and the database in `DATABASE_URL`.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{CommandFactory, FromArgMatches};
use sqlx_cli::{
    Opt,
    opt::{Command, ConnectOpts, DatabaseCommand, DatabaseOpt, MigrateCommand, MigrateOpt, OverrideCommand},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let matches = Opt::command().bin_name("cargo xtask sqlx").get_matches();
    let done = tokio::select! {
        biased;
        // sqlx-cli would exit with success.
        _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
        done = run(Opt::from_arg_matches(&matches)) => done,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If this fails, no one is left to report it to.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(opt: Result<Opt, clap::Error>) -> anyhow::Result<()> {
    let mut opt = opt?;
    if let Some(connect) = connection(&mut opt.command) {
        if connect.database_url.is_some() {
            bail!(
                "`cargo xtask` has checked its own database, and no other may be named here\n  to use another one, set DATABASE_URL"
            );
        }
        // Otherwise a `database-url-var` in sqlx.toml could name a database that was not checked.
        connect.database_url = Some(env::var("DATABASE_URL").context("read DATABASE_URL")?);
    }
    sqlx::any::install_default_drivers();
    sqlx_cli::run(opt).await
}

/// The options that name the database of a command, if it has one.
fn connection(command: &mut Command) -> Option<&mut ConnectOpts> {
    match command {
        Command::Prepare { connect_opts, .. }
        | Command::Database(DatabaseOpt {
            command:
                DatabaseCommand::Create { connect_opts, .. }
                | DatabaseCommand::Drop { connect_opts, .. }
                | DatabaseCommand::Reset { connect_opts, .. }
                | DatabaseCommand::Setup { connect_opts, .. },
        })
        | Command::Migrate(MigrateOpt {
            command:
                MigrateCommand::Run { connect_opts, .. }
                | MigrateCommand::Revert { connect_opts, .. }
                | MigrateCommand::Info { connect_opts, .. }
                | MigrateCommand::Override { command: OverrideCommand::Skip { connect_opts, .. } },
        }) => Some(connect_opts),
        Command::Migrate(MigrateOpt {
            command: MigrateCommand::Add(_) | MigrateCommand::BuildScript { .. },
        }) => None,
    }
}
