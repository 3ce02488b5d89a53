//! The command line, declared once. Its doc comments are the help; each verb's own arguments stand in the verb's file.

use std::{env, ffi::OsString};

use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, value_parser};

use crate::{
    checkout::ServerChoice,
    host::{Host, HostVerb},
    verbs::{
        adopt, bench, changepassword, ci, completions, createsuperuser, db_check, db_drop, db_reset,
        db_setup, db_shell, db_url, dumpdata, erd, flush, graph, inspect, loaddata, makemigrations, migrate,
        prepare, renumber, scratch, seed, server, showmigrations, sqlmigrate, sqlx, test, verify,
    },
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

/// What was typed.
pub(crate) enum Parsed {
    /// A verb of ours.
    Ours(Cli),
    /// A verb of the repository's own, and what follows it.
    Hosts(HostVerb, Vec<OsString>),
}

/// Name of the argument that takes everything after a verb of the repository's own.
const ARGS: &str = "args";

/// Reads the command line. A wrong one ends the process here, with exit code 2.
pub(crate) fn parse(host: &Host) -> Parsed {
    let mut matches = command(host).get_matches();
    if let Some((name, _)) = matches.subcommand()
        && let Some(verb) = host.verbs().iter().find(|verb| verb.name() == name)
        && let Some((_, mut typed)) = matches.remove_subcommand()
    {
        return Parsed::Hosts(*verb, typed.remove_many(ARGS).into_iter().flatten().collect());
    }
    Parsed::Ours(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

/// The declaration of the command line, with the repository's own verbs. An empty XTASK_SERVER counts as unset.
pub(crate) fn command(host: &Host) -> Command {
    let unset = env::var_os(SERVER).is_some_and(|value| value.is_empty());
    let command = Cli::command().mut_arg("server", |arg| if unset { arg.env(None) } else { arg });
    command.subcommands(host.verbs().iter().map(|verb| {
        let args = Arg::new(ARGS).num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
        let args = args.value_parser(value_parser!(OsString)).hide(true);
        Command::new(verb.name()).about(verb.about()).disable_help_flag(true).arg(args)
    }))
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
