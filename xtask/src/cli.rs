//! The command line, declared once. Its doc comments are the help; each verb's own arguments stand in the verb's file.

use std::env;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::{
    adopt, bench, changepassword, ci, completions, createsuperuser, db_check, db_drop, db_reset, db_setup,
    db_shell, db_url, dumpdata, erd, flush, graph, inspect, loaddata, makemigrations, migrate, prepare,
    renumber, scratch, seed, server, showmigrations, sqlmigrate, sqlx, test, verify,
};

const AFTER_HELP: &str = "\
Exit codes:
  0    done
  1    error
  2    the command line is wrong
  3    pending work, drift, or a failed proof
  4    refused for safety; the message says what to pass
  5    a lock was not to be had in time
  130  interrupted

Start here: cargo xtask db-setup";

/// Says which server, as `--server` does.
const SERVER: &str = "XTASK_SERVER";

/// The whole database workflow: server, migrations, seeds, proofs.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = AFTER_HELP, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// The server to use [default: `server` in apps.toml, else auto]
    #[arg(long, global = true, env = SERVER, hide_env_values = true)]
    pub(crate) server: Option<ServerChoice>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What was typed; a wrong command line ends here, with exit code 2. A variable that is empty counts as unset.
pub(crate) fn parse() -> Cli {
    let unset = env::var_os(SERVER).is_some_and(|value| value.is_empty());
    let command = Cli::command().mut_arg("server", |arg| if unset { arg.env(None) } else { arg });
    Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
}

/// Which server to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerChoice {
    /// DATABASE_URL (environment, then .env) if it is set, else Docker if its daemon answers,
    /// else native if there are Postgres binaries, else download
    Auto,
    /// The server that DATABASE_URL names
    Url,
    /// A server of this checkout in a container
    Docker,
    /// A server of this checkout, from the Postgres binaries of this machine
    Native,
    /// The same from binaries that are downloaded once, about 24 MB, into the user's cache folder
    Download,
}

/// How to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
#[command(rename_all = "kebab-case")]
pub(crate) enum Verb {
    /// Make a running, migrated, seeded and checked database out of nothing
    DbSetup(db_setup::Args),
    /// Compare ledger and tables with the files; write nothing
    DbCheck(db_check::Args),
    /// Drop the database and set it up again
    DbReset(db_reset::Args),
    /// Drop the database
    DbDrop(db_drop::Args),
    /// Print the database's connection string, password included
    DbUrl(db_url::Args),
    /// Open the database in psql
    DbShell(db_shell::Args),
    /// Make the files of a new migration
    Makemigrations(makemigrations::Args),
    /// Give new numbers to migrations that two branches have numbered alike
    Renumber(renumber::Args),
    /// Apply migrations, or take them back
    Migrate(migrate::Args),
    /// Record what the database proves to hold already, and run nothing
    Adopt(adopt::Args),
    /// Tell the tables, with columns, keys, checks, indexes and triggers; write nothing
    Inspect(inspect::Args),
    /// List the migrations and which of them are applied
    Showmigrations(showmigrations::Args),
    /// Print the SQL of a migration
    Sqlmigrate(sqlmigrate::Args),
    /// Draw the tables and what refers to what
    Erd(erd::Args),
    /// Draw the migrations and what each waits for
    Graph(graph::Args),
    /// Run the real sqlx-cli with an app's settings
    Sqlx(sqlx::Args),
    /// Write the reference data
    Seed(seed::Args),
    /// Remove all rows and write the reference data again; tables and ledger stay
    Flush(flush::Args),
    /// Write the rows of tables to files
    Dumpdata(dumpdata::Args),
    /// Load the rows that dumpdata wrote
    Loaddata(loaddata::Args),
    /// Create a superuser, by the program that apps.toml names
    Createsuperuser(createsuperuser::Args),
    /// Change the password of an account, by the program that apps.toml names
    Changepassword(changepassword::Args),
    /// Record what the checked queries expect, so that a clean clone builds
    Prepare(prepare::Args),
    /// Prove the migrations and seeds on a throwaway database
    Verify(verify::Args),
    /// Run the whole test suite on a test server
    Test(test::Args),
    /// Hand out a throwaway database
    Scratch(scratch::Args),
    /// Everything that CI checks: format, lints, queries, tests, proofs
    Ci(ci::Args),
    /// Measure against a floor or a peer in the same run
    Bench(bench::Args),
    /// Print what a shell needs to complete `cargo xtask`
    Completions(completions::Args),
    /// Start, stop or look at the development server
    Server(server::Args),
}
