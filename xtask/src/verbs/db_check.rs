//! `cargo xtask db-check`: ledger and tables against the files. It writes nothing.

use clap::Args as ClapArgs;
use migrations::{Contract, Ledger, LedgerProblem, MissingTable, Project};
use serde::Serialize;
use serde_json::json;

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

Exit code 3: there are differences, each told with what to do. The session is read-only.")]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One way in which the database is not what the files say.
#[derive(Debug, Serialize)]
struct Difference {
    kind: String,
    what: String,
    remedy: String,
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
            Format::Json => output::json(&json!({ "differences": differences })),
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
    let mut say = |kind: &str, what: String, remedy: String| {
        found.push(Difference { kind: kind.to_owned(), what, remedy });
    };
    let problems = ledger.problems(project);
    for problem in &problems {
        say(problem.kind(), problem.what(), problem.remedy());
    }
    for migration in ledger.pending(project) {
        let late = problems
            .iter()
            .any(|problem| matches!(problem, LedgerProblem::Late { id, .. } if *id == migration.id));
        if !late {
            say("pending", migration.id.to_string(), "apply it: cargo xtask migrate".to_owned());
        }
    }
    for MissingTable { app, table, .. } in &contract.missing {
        // Where the app has pending migrations, one of those makes it.
        let pending = ledger.pending(project).iter().any(|migration| &migration.id.app == app);
        let why = if pending { "is pending" } else { "is all applied, the ledger says" };
        say("missing", format!("table {table}"), format!("app `{app}` owns it, and {why}"));
    }
    for table in &contract.unexpected {
        say(
            "unexpected",
            format!("table {table}"),
            "no app owns it; list it in apps.toml, or drop it".to_owned(),
        );
    }
    found
}
