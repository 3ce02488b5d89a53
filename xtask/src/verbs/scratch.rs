//! `cargo xtask scratch`: lends a throwaway database to scripts, other languages and experiments.

use std::{ffi::OsString, path::Path};

use anyhow::Context;
use clap::{Args as ClapArgs, Subcommand};
use duct::cmd;
use serde::Serialize;
use tests::Setup;
use url::Url;

use crate::{
    checkout::Checkout,
    database::libpq::Variables,
    terminal::{child, exit::pass_on, format::Format, interrupt::or_interrupted, output},
    throwaway::shared,
};

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  cargo xtask scratch                                  print the URL of a fresh database
  cargo xtask scratch --exec psql                      run psql on one, and drop it afterwards
  cargo xtask scratch --at app/0001_initial --exec pg_dump
  cargo xtask scratch list

The command gets the URL as DATABASE_URL and in the variables of psql and pg_dump, and this command
exits with its code. A database whose URL was printed exists until the test server ends, half an
hour after its last use.")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Lend an empty database
    #[arg(long, conflicts_with_all = ["unseeded", "at"])]
    empty: bool,
    /// Lend the schema without the reference data
    #[arg(long, conflicts_with = "at")]
    unseeded: bool,
    /// Lend the schema as it was after this migration
    #[arg(long, value_name = "APP/NAME")]
    at: Option<String>,
    /// Run a command with DATABASE_URL set, and drop the database afterwards
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true)]
    exec: Vec<OsString>,
    /// With --exec: keep the database
    #[arg(long, requires = "exec")]
    keep: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the throwaway databases on the test server
    List {
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Remove the unused ones: from killed commands, from failed tests, and the ones whose URL was printed
    Sweep,
}

/// A throwaway database, for `--format json`.
#[derive(Serialize)]
struct Listed<'l> {
    name: &'l str,
    what: &'l str,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        match self.verb {
            Some(Verb::List { format }) => or_interrupted(list(checkout, format)).await,
            Some(Verb::Sweep) => or_interrupted(sweep(checkout)).await,
            None => self.lend(checkout).await,
        }
    }

    async fn lend(self, checkout: &Checkout) -> anyhow::Result<()> {
        let setup = self.setup(checkout)?;
        let name = self.name();
        let lent = shared::borrow(checkout, &setup, &name).await?;
        let Some((program, args)) = self.exec.split_first() else {
            output::line(lent.url());
            return lent.keep().await;
        };
        let url = Url::parse(lent.url()).context("read the URL of the database")?;
        let command = cmd(program, args).env("DATABASE_URL", lent.url());
        let command = Variables::for_database(&url, &tests::scratch::options(lent.url())?).give(command);
        let ran = child::run(command).await;
        if self.keep {
            output::remark(&format!("kept: {}", lent.url()));
            lent.keep().await?;
        }
        let status = ran.with_context(|| format!("run {}", Path::new(program).display()))?;
        pass_on(status)
    }

    fn setup(&self, checkout: &Checkout) -> anyhow::Result<Setup> {
        let source = checkout.database().map_or_else(tests::Project::default, tests::in_database);
        Ok(match &self.at {
            Some(at) => {
                // Report a wrong name before starting a server.
                let (app, name) = at.split_once('/').with_context(|| {
                    format!("`{at}` is not a migration\n  write app/0001_name; list them: cargo xtask showmigrations")
                })?;
                checkout.project()?.migration(app, name)?;
                source.at(at)
            }
            None if self.empty => source.empty(),
            None if self.unseeded => source.unseeded(),
            None => source.seeded(),
        })
    }

    /// The name of the database in the list.
    fn name(&self) -> String {
        let words = self.exec.iter().map(|word| word.to_string_lossy());
        ["scratch".into()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
    }
}

async fn list(checkout: &Checkout, format: Format) -> anyhow::Result<()> {
    let server = shared::server_of_tests(checkout).await?;
    let databases = match &server {
        Some(server) => tests::scratch::databases(server).await?,
        None => Vec::new(),
    };
    match format {
        Format::Json => {
            let rows = databases.iter().map(|(name, what)| Listed { name, what });
            output::json(&rows.collect::<Vec<_>>());
        }
        Format::Text => {
            for (name, what) in &databases {
                output::line(&format!("{name:<52} {what}"));
            }
            output::line(&match server {
                Some(_) => output::count(databases.len(), "throwaway database", "throwaway databases"),
                None => "no test server is running, so there are no throwaway databases".to_owned(),
            });
        }
    }
    Ok(())
}

async fn sweep(checkout: &Checkout) -> anyhow::Result<()> {
    let removed = match shared::server_of_tests(checkout).await? {
        Some(server) => tests::scratch::sweep(&server).await?,
        None => Vec::new(),
    };
    for name in &removed {
        output::line(&format!("removed  {name}"));
    }
    output::line(&format!(
        "{} removed",
        output::count(removed.len(), "throwaway database", "throwaway databases")
    ));
    Ok(())
}
