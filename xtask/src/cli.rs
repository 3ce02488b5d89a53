//! The command line, declared once. Its doc comments are the help texts; each verb declares its arguments in its own file.

use std::{env, ffi::OsString, process};

use clap::{
    Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, error::ErrorKind,
    parser::ValueSource, value_parser,
};

use crate::{
    checkout::{SERVER_CHOICE, ServerChoice},
    host::{Host, HostVerb},
    terminal::{commands::ON_DATABASE, output},
    verbs::{
        adopt, bench, changepassword, ci, completions, createsuperuser, db_check, db_drop, db_reset,
        db_setup, db_shell, db_url, diff, dumpdata, erd, flush, graph, init, inspect, loaddata,
        makemigrations, migrate, prepare, renumber, scratch, seed, server, showmigrations, sqlmigrate, sqlx,
        test, verify,
    },
};

const AFTER_HELP: &str = "\
Exit codes:
  0    done
  1    error
  2    wrong command line
  3    pending work, drift, or a failed proof
  4    refused for safety; the message says how to insist
  5    timed out waiting for a lock
  130  interrupted

Start here: cargo xtask db-setup";

/// The help of `--server` and `--database` in the help of a verb.
const SERVER: &str = "The server to use; see cargo xtask --help";
const DATABASE: &str = "The database to work on; see cargo xtask --help";

/// The place of `--server` and `--database` in every help: clap would put it between two options of the verb, which may refer to each other.
const LAST: usize = 900;

/// The whole database workflow: server, migrations, seeds, checks
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = AFTER_HELP, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// The server to use [default: `server` in apps.toml, else auto]
    #[arg(long, global = true, env = SERVER_CHOICE, hide_env_values = true, display_order = LAST)]
    pub(crate) server: Option<ServerChoice>,
    /// The database to work on, by its name in apps.toml [default: the main one, or each in turn]
    #[arg(long, global = true, value_name = "NAME", display_order = LAST)]
    pub(crate) database: Option<String>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// A parsed command line.
pub(crate) enum Parsed {
    /// A verb of ours.
    Ours(Cli),
    /// A verb that the repository adds, and its arguments.
    Hosts(HostVerb, Vec<OsString>),
}

/// The name of the argument that takes everything after a verb that the repository adds.
const ARGS: &str = "args";

/// Parses the command line. If it is wrong, this prints why and ends the process with exit code 2.
pub(crate) fn parse(host: &Host) -> Parsed {
    let matches = command(host).try_get_matches();
    matches.and_then(|matches| read(host, matches)).unwrap_or_else(|error| {
        // It quotes the arguments, which a shell may have made of the names of files.
        if env::args_os().any(|arg| arg.to_string_lossy().contains(char::is_control)) {
            output::remark(error.to_string().trim_end());
            process::exit(error.exit_code());
        }
        error.exit()
    })
}

fn read(host: &Host, mut matches: ArgMatches) -> Result<Parsed, clap::Error> {
    if let Some((name, _)) = matches.subcommand().filter(|(name, _)| !ON_DATABASE.contains(name))
        && matches.contains_id("database")
    {
        let why = format!("`{name}` takes no --database\n");
        return Err(clap::Error::raw(ErrorKind::ArgumentConflict, why));
    }
    if let Some((name, _)) = matches.subcommand()
        && let Some(verb) = host.verbs().iter().find(|verb| verb.name() == name)
    {
        if matches.value_source("server") == Some(ValueSource::CommandLine) {
            let why = format!(
                "--server is for our own verbs; write it after `{name}` if that has such an option\n"
            );
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, why));
        }
        let typed = matches.remove_subcommand();
        let typed = typed.and_then(|(_, mut typed)| typed.remove_many(ARGS));
        return Ok(Parsed::Hosts(*verb, typed.into_iter().flatten().collect()));
    }
    Ok(Parsed::Ours(Cli::from_arg_matches(&matches)?))
}

/// The command line's declaration, with the verbs that the repository adds. An empty XTASK_SERVER counts as unset.
pub(crate) fn command(host: &Host) -> Command {
    let unset = env::var_os(SERVER_CHOICE).is_some_and(|value| value.is_empty());
    let command = Cli::command().mut_arg("server", |arg| if unset { arg.env(None) } else { arg });
    // Every verb has the option, and the help of `cargo xtask` alone explains its values.
    let server = command.get_arguments().find(|arg| arg.get_id() == "server").cloned();
    let server = server.map(|arg| arg.hide_possible_values(true).hide_env(true).help(SERVER));
    let database = command.get_arguments().find(|arg| arg.get_id() == "database").cloned();
    let command = command.mut_subcommands(|verb| {
        let takes = ON_DATABASE.contains(&verb.get_name());
        verb.args(&server).args(database.clone().map(|arg| arg.hide(!takes).help(DATABASE)))
    });
    command.subcommands(host.verbs().iter().map(|verb| {
        let args = Arg::new(ARGS).num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
        let args = args.value_parser(value_parser!(OsString)).hide(true);
        Command::new(verb.name()).about(verb.about()).disable_help_flag(true).arg(args)
    }))
}

#[derive(Debug, Subcommand)]
#[command(rename_all = "kebab-case")]
pub(crate) enum Verb {
    /// Start a server, and create, migrate, seed and check the database
    DbSetup(db_setup::Args),
    /// Compare the ledger and the tables with the files (read-only)
    DbCheck(db_check::Args),
    /// Drop the database and set it up again
    DbReset(db_reset::Args),
    /// Drop the database
    DbDrop(db_drop::Args),
    /// Print the database's connection string, with the password
    DbUrl(db_url::Args),
    /// Open the database in psql
    DbShell(db_shell::Args),
    /// Write the migrations that lead to the schema files
    Makemigrations(makemigrations::Args),
    /// Renumber migrations whose numbers clash after a merge
    Renumber(renumber::Args),
    /// Apply or revert migrations
    Migrate(migrate::Args),
    /// Mark migrations as applied if the database already has their changes
    Adopt(adopt::Args),
    /// Show the tables with columns, keys, checks, indexes and triggers (read-only)
    Inspect(inspect::Args),
    /// Print the SQL that turns one schema into another (read-only)
    Diff(diff::Args),
    /// List the migrations, and which are applied
    Showmigrations(showmigrations::Args),
    /// Print the SQL of a migration
    Sqlmigrate(sqlmigrate::Args),
    /// Draw the tables and their foreign keys
    Erd(erd::Args),
    /// Draw the migrations and their dependencies
    Graph(graph::Args),
    /// Run sqlx-cli with an app's settings
    Sqlx(sqlx::Args),
    /// Insert or update the reference data
    Seed(seed::Args),
    /// Delete all rows and seed again; the tables and the ledger stay
    Flush(flush::Args),
    /// Save the rows of tables to files
    Dumpdata(dumpdata::Args),
    /// Load rows that dumpdata saved
    Loaddata(loaddata::Args),
    /// Create a superuser, by the program that apps.toml names
    Createsuperuser(createsuperuser::Args),
    /// Change the password of an account, by the program that apps.toml names
    Changepassword(changepassword::Args),
    /// Record the types of the checked queries, so that a clean clone builds
    Prepare(prepare::Args),
    /// Check the migrations and seeds on a throwaway database
    Verify(verify::Args),
    /// Run the tests on a test server
    Test(test::Args),
    /// Create, list or remove throwaway databases
    Scratch(scratch::Args),
    /// Run the checks of CI: format, lints, queries, tests, migrations
    Ci(ci::Args),
    /// Measure speed against a lower bound or another tool
    Bench(bench::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
    /// Start, stop or show the development server
    Server(server::Args),
    /// Set up this workflow in another repository
    Init(init::Args),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        Host::new("/shop").verb(HostVerb::new("deploy", "Deploy this checkout", |host, args| {
            anyhow::bail!("{} {args:?}", host.root().display())
        }))
    }

    fn parsed(words: &[&str]) -> Parsed {
        let matches = command(&host()).try_get_matches_from([&["cargo xtask"], words].concat());
        read(&host(), matches.unwrap()).unwrap()
    }

    #[test]
    fn a_verb_of_the_repository_gets_everything_after_it() {
        let Parsed::Hosts(verb, args) = parsed(&["deploy", "--help", "--server", "x", "--", "y"]) else {
            panic!("not the repository's verb")
        };
        let said = verb.run(&host(), args).unwrap_err().to_string();
        assert_eq!(said, r#"/shop ["--help", "--server", "x", "--", "y"]"#);
    }

    #[test]
    fn a_server_in_front_of_a_verb_of_the_repository_is_refused() {
        let matches = command(&host()).try_get_matches_from(["cargo xtask", "--server", "native", "deploy"]);
        let error = read(&host(), matches.unwrap()).map(|_| ()).unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains("after `deploy`"), "{error}");
    }

    #[test]
    fn our_verbs_stay_beside_those_of_the_repository() {
        assert!(matches!(parsed(&["db-url"]), Parsed::Ours(Cli { verb: Verb::DbUrl(_), .. })));
        let help = command(&host()).render_help().to_string();
        assert!(help.contains("db-url ") && help.contains("deploy           Deploy this checkout"), "{help}");
        command(&host()).debug_assert();
    }
}
