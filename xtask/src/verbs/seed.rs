//! `cargo xtask seed`: writes the reference data, or says what it would change.

use clap::Args as ClapArgs;
use migrations::{Project, Prune, SeedMode, TableChanges};
use serde_json::json;

use crate::{
    checkout::Checkout,
    database::{
        seeding,
        session::{self, Timeouts, on_server},
    },
    server,
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{Steps, timed},
    },
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
    /// Also remove what people added, such as grants of seeded roles
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
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        on_server(&server, self.seed(&server, &project)).await
    }

    async fn seed(&self, server: &server::Server, project: &Project) -> anyhow::Result<()> {
        let mode = if self.check { SeedMode::Check } else { SeedMode::Write };
        let prune = if self.prune { Prune::Yes } else { Prune::No };
        let mut steps = Steps::new(self.format);
        let mut session = session::open(server, project, self.timeouts).await?;
        let (report, elapsed) = timed(seeding::run(&mut session, project, mode, prune, &mut steps)).await;
        let report = report?;
        let state = if self.check && report.changes() > 0 { "pending" } else { "" };
        steps.done("seed", &seeding::summary(&report), state, Some(elapsed));
        session.close().await;
        let tables = report.tables.iter().map(|table| {
            let TableChanges { table, inserted, updated, deleted, .. } = table;
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
