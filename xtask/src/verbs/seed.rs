//! `cargo xtask seed`: writes the reference data, or shows what that would change.

use clap::Args as ClapArgs;
use migrations::{Project, Prune, SeedMode, SeedReport, TableChanges};
use serde::Serialize;

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

#[derive(Debug, Clone, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask seed            add what is missing, repair what was edited
  cargo xtask seed --check    show what that would change
  cargo xtask seed --prune    also remove what people added to the reference data

Each seed file defines what --prune removes. --check runs the seeds and rolls them back, so it needs the rights to write and \
holds their locks meanwhile. It leaves nothing behind but gaps in sequences: a number that was given out is not taken back.

Exit codes: 3 with --check, something would change; or migrations are pending.")]
pub(crate) struct Args {
    /// Show what would change without changing it; exit with 3 if anything would
    #[arg(long)]
    check: bool,
    /// Also remove what people added to the reference data
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    timeouts: Timeouts,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `--format json` reports besides the steps.
#[derive(Serialize)]
struct Report<'r> {
    tables: Vec<Changes<'r>>,
}

#[derive(Serialize)]
struct Changes<'r> {
    deleted: i64,
    inserted: i64,
    table: &'r str,
    updated: i64,
}

impl<'r> Report<'r> {
    fn new(report: &'r SeedReport) -> Report<'r> {
        let tables =
            report.tables.iter().map(|TableChanges { table, inserted, updated, deleted, .. }| Changes {
                deleted: *deleted,
                inserted: *inserted,
                table,
                updated: *updated,
            });
        Report { tables: tables.collect() }
    }
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
        if state.is_empty() {
            steps.finish(Report::new(&report));
            return Ok(());
        }
        let prune = if self.prune { " --prune" } else { "" };
        steps.note(&format!("nothing was written; write it: cargo xtask seed{prune}"));
        steps.finish(Report::new(&report));
        Err(Stop::Differs.into())
    }
}
