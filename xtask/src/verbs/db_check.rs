//! `cargo xtask db-check`: compares the ledger and the tables with the files. It writes nothing.

use clap::Args as ClapArgs;
use migrations::{Contract, Ledger, LedgerProblem, MissingTable, Project};
use serde::Serialize;

use crate::{
    checkout::Checkout,
    database::session::{self, on_server},
    server,
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{self, count},
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask db-check && echo in order

It opens a read-only session.

Exit code 3: there are differences; each line says what to do.")]
pub(crate) struct Args {
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One difference between the database and the files.
#[derive(Debug, Serialize)]
struct Difference {
    kind: String,
    remedy: String,
    what: String,
}

/// The report of `--format json`.
#[derive(Serialize)]
struct Report<'d> {
    differences: &'d [Difference],
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let (ledger, contract) = on_server(&server, async {
            let mut session = session::open_read_only(&server, &project).await?;
            let read = (session.ledger(&project).await?, session.contract(&project).await?);
            session.close().await;
            Ok(read)
        })
        .await?;

        let differences = differences(&project, &ledger, &contract);
        match self.format {
            Format::Json => output::json(&Report { differences: &differences }),
            Format::Text => print(&project, &contract, &differences),
        }
        if differences.is_empty() { Ok(()) } else { Err(Stop::Differs.into()) }
    }
}

fn print(project: &Project, contract: &Contract, differences: &[Difference]) {
    if differences.is_empty() {
        let migrations = count(project.migrations.len(), "migration", "migrations");
        let tables = count(contract.expected, "table", "tables");
        output::line(&format!("db-check: {migrations} applied, {tables}, exactly as the files say"));
        return;
    }
    output::line(&format!("db-check: {}", count(differences.len(), "difference", "differences")));
    let width = differences.iter().map(|difference| difference.what.chars().count()).max().unwrap_or(0);
    for Difference { kind, what, remedy } in differences {
        let padding = width - what.chars().count();
        output::line(&format!("  {kind:<11} {what}{:padding$}   {remedy}", ""));
    }
}

fn differences(project: &Project, ledger: &Ledger, contract: &Contract) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |kind: &str, what: String, remedy: String| {
        found.push(Difference { kind: kind.to_owned(), what, remedy });
    };
    let problems = ledger.problems(project);
    for problem in &problems {
        add(problem.kind(), problem.what(), problem.remedy());
    }
    for migration in ledger.pending(project) {
        let late = problems
            .iter()
            .any(|problem| matches!(problem, LedgerProblem::Late { id, .. } if *id == migration.id));
        if !late {
            add("pending", migration.id.to_string(), "apply it: cargo xtask migrate".to_owned());
        }
    }
    for MissingTable { app, table, .. } in &contract.missing {
        // If the app has pending migrations, one of them creates the table.
        let pending = ledger.pending(project).iter().any(|migration| &migration.id.app == app);
        let state = if pending { "it has pending migrations" } else { "all its migrations are applied" };
        add("missing", format!("table {table}"), format!("app `{app}` owns it, and {state}"));
    }
    for table in &contract.unexpected {
        add(
            "unexpected",
            format!("table {table}"),
            "no app owns it; list it in apps.toml, or drop it".to_owned(),
        );
    }
    found
}
