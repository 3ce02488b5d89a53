//! `cargo xtask`, the whole database workflow, as a library.
//!
//! A repository's own `xtask` calls [`main`] with its folder, and may add verbs. These are the rooms, from top to bottom;
//! a room imports only from those after it:
//!
//! `cli` → `verbs` → `rows`, `throwaway` → `database` → `server` → `picture`, `files`, `helpers` →
//! `terminal`, `checkout`, `host`
//!
//! What a production deploy needs is in `migrations` instead.

mod checkout;
mod cli;
mod database;
mod files;
mod helpers;
mod host;
mod picture;
mod rows;
mod server;
mod terminal;
mod throwaway;
mod verbs;

use std::process::ExitCode;

use anyhow::Context as _;
use migrations::{MigrationId, Remedy, Report, shell_word};

pub use crate::host::{Host, HostVerb};
use crate::{
    checkout::Checkout,
    cli::{Cli, Parsed, Verb},
    database::each::each,
    terminal::{
        commands,
        exit::{self, Stop},
        interrupt::{self, or_interrupted},
        output,
    },
};

/// Runs the command line of this process, and returns its exit code. Errors are printed on standard error.
pub fn main(host: &Host) -> ExitCode {
    checkout::set_host(host.root());
    let done = match cli::parse(host) {
        Parsed::Ours(cli) => run_ours(host, cli),
        // Without our handling of Ctrl-C, which would keep it from a verb that does not look for it.
        Parsed::Hosts(verb, args) => verb.run(host, args),
    };
    match done.and_then(|()| output::written()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn run_ours(host: &Host, cli: Cli) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("start the async runtime")?;
    let done = runtime.block_on(run(host, cli));
    // Without waiting for tasks that block on a program which may outlive us.
    runtime.shutdown_background();
    done
}

/// Prints an error with its causes, and returns its exit code. Only this file sees both the runner's errors and our codes.
fn failed(error: &anyhow::Error) -> ExitCode {
    let known = error.downcast_ref::<migrations::Error>();
    let remedy = match known.and_then(migrations::Error::remedy) {
        Some(Remedy::Adopt) => "\n  record it: cargo xtask adopt".to_owned(),
        Some(Remedy::Renumber) => "\n  renumber it: cargo xtask renumber".to_owned(),
        Some(Remedy::GoBackLess(furthest)) => {
            let less = furthest.map_or(String::new(), |MigrationId { app, name }| {
                format!(
                    "\n  or go back as far as there is a way: cargo xtask migrate {app} {}",
                    shell_word(&name)
                )
            });
            format!(
                "{less}\n  or, in a development database, begin again without its rows: cargo xtask db-reset"
            )
        }
        Some(Remedy::InDatabase(database)) => format!("\n  work on that one: --database {database}"),
        _ => String::new(),
    };
    let words = format!("{}{remedy}", Report::new(error.as_ref()));
    match known {
        Some(migrations::Error::Locked { .. }) => exit::failed(&Stop::Locked(words.clone()).into(), &words),
        Some(migrations::Error::ReadOnly { .. } | migrations::Error::Pooler { .. }) => {
            exit::failed(&Stop::Refused(words.clone()).into(), &words)
        }
        Some(migrations::Error::NoStatement { .. }) => {
            exit::failed(&Stop::Unfit(words.clone()).into(), &words)
        }
        _ => exit::failed(error, &words),
    }
}

async fn run(host: &Host, cli: Cli) -> anyhow::Result<()> {
    interrupt::listen()?;
    if let Some(database) = &cli.database {
        commands::name_database(database);
    }
    let checkout = Checkout::new(host.root(), cli.server, cli.database)?;
    match cli.verb {
        Verb::DbSetup(args) => each(&checkout, async |one| args.clone().run(one).await).await,
        Verb::DbCheck(args) => each(&checkout, async |one| args.clone().run(one).await).await,
        Verb::DbReset(args) => args.run(&checkout).await,
        Verb::DbDrop(args) => args.run(&checkout).await,
        Verb::DbUrl(args) => or_interrupted(args.run(&checkout)).await,
        Verb::DbShell(args) => or_interrupted(args.run(&checkout)).await,
        Verb::Makemigrations(args) => args.run_in_each(&checkout).await,
        Verb::Renumber(args) => args.run_in_each(&checkout).await,
        Verb::Migrate(args) => args.run_in_each(&checkout).await,
        Verb::Adopt(args) => args.run(&checkout).await,
        Verb::Inspect(args) => args.run(&checkout).await,
        Verb::Diff(args) => args.run(&checkout).await,
        Verb::Showmigrations(args) => args.run_in_each(&checkout).await,
        Verb::Sqlmigrate(args) => args.run(&checkout).await,
        Verb::Sqlx(args) => args.run(&checkout).await,
        Verb::Erd(args) => args.run(&checkout).await,
        Verb::Graph(args) => args.run(&checkout),
        Verb::Seed(args) => each(&checkout, async |one| args.clone().run(one).await).await,
        Verb::Flush(args) => args.run(&checkout).await,
        Verb::Dumpdata(args) => args.run(&checkout).await,
        Verb::Loaddata(args) => args.run(&checkout).await,
        Verb::Createsuperuser(args) => or_interrupted(args.run(&checkout)).await,
        Verb::Changepassword(args) => or_interrupted(args.run(&checkout)).await,
        Verb::Prepare(args) => args.run(&checkout).await,
        Verb::Verify(args) => each(&checkout, async |one| args.clone().run(one).await).await,
        Verb::Test(args) => args.run(&checkout).await,
        Verb::Scratch(args) => args.run(&checkout).await,
        Verb::Ci(args) => args.run(&checkout).await,
        Verb::Bench(args) => args.run(&checkout).await,
        Verb::Completions(args) => {
            args.run(cli::command(host));
            Ok(())
        }
        Verb::Server(args) => args.run(&checkout).await,
        Verb::Init(args) => args.run(&checkout).await,
    }
}
