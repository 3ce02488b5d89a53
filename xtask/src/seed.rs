//! `cargo xtask seed`: writes the reference data, or says what it would change.

use clap::Args as ClapArgs;
use migrations::{Project, Prune, SeedMode, SeedReport, Session, TableChanges};
use serde_json::json;

use crate::{
    checkout::Checkout,
    cli::Format,
    exit::Stop,
    interrupt::or_interrupted,
    migrate,
    output::{Steps, timed},
    pending, server,
    session::{self, Timeouts, on_server},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask seed            write what is missing, repair what was edited
  cargo xtask seed --check    say what that would change
  cargo xtask seed --prune    also remove what people added to seeded rows

Exit code 3: with --check, something would change. What is removed is for each seed file to say.")]
pub(crate) struct Args {
    /// Say what would change, and change nothing; exit code 3 if anything would
    #[arg(long)]
    check: bool,
    /// Also remove what people added to seeded rows
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    timeouts: Timeouts,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let server = or_interrupted(server::find_existing(checkout, &project.postgres)).await?;
        on_server(&server, self.seed(&server, &project)).await
    }

    async fn seed(&self, server: &server::Server, project: &Project) -> anyhow::Result<()> {
        let mode = if self.check { SeedMode::Check } else { SeedMode::Write };
        let prune = if self.prune { Prune::Yes } else { Prune::No };
        let mut steps = Steps::new(self.format);
        let mut session = session::open(server, project, self.timeouts).await?;
        let (report, elapsed) = timed(run(&mut session, project, mode, prune, &mut steps)).await;
        let report = report?;
        let state = if self.check && report.changes() > 0 { "pending" } else { "" };
        steps.done("seed", &summary(&report), state, Some(elapsed));
        session.close().await;
        let tables = report.tables.iter().map(|table| {
            let TableChanges { table, inserted, updated, deleted } = table;
            json!({ "table": table, "inserted": inserted, "updated": updated, "deleted": deleted })
        });
        let tables: Vec<_> = tables.collect();
        if state.is_empty() {
            steps.finish(json!({ "tables": tables }));
            return Ok(());
        }
        let prune = if self.prune { " --prune" } else { "" };
        steps.note(&format!("nothing was written; write it: cargo xtask seed{prune}"));
        steps.finish(json!({ "tables": tables }));
        Err(Stop::Differs.into())
    }
}

/// Runs the seeds. What they need of the migrations is checked first, for a better error than a missing table.
pub(crate) async fn run(
    session: &mut Session,
    project: &Project,
    mode: SeedMode,
    prune: Prune,
    steps: &mut Steps,
) -> anyhow::Result<SeedReport> {
    let ledger = session.ledger(project).await?;
    pending::refuse(&ledger, project, "the seeds need the tables that they make")?;
    Ok(session.seed(project, mode, prune, &mut |event| migrate::report(steps, &event)).await?)
}

/// `roles +7, permissions ~1, roles_permissions -2`, or `0 changes`.
pub(crate) fn summary(report: &SeedReport) -> String {
    let tables = report.tables.iter().map(|table| {
        let counts = [('+', table.inserted), ('~', table.updated), ('-', table.deleted)];
        let counts: Vec<String> =
            counts.iter().filter(|(_, n)| *n > 0).map(|(sign, n)| format!("{sign}{n}")).collect();
        format!("{} {}", table.table, counts.join(" "))
    });
    let tables: Vec<String> = tables.collect();
    if tables.is_empty() { "0 changes".to_owned() } else { tables.join(", ") }
}
