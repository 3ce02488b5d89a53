//! `cargo xtask migrate`: applies migrations, or reverts them.

mod again;

use clap::Args as ClapArgs;
use migrations::{Direction, Plan, Project, Step, Target};
use serde::Serialize;

use crate::{
    checkout::Checkout,
    database::{
        each::each_with,
        migrating,
        safety::{self, Destruction},
        session::{self, Timeouts, on_server},
    },
    server::{self, Server},
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{self, Steps, count},
    },
    verbs::migrate::again::Again,
};

/// The answer to `--fake`, which people who used Django may type.
const FAKE: &str = "there is no --fake: `adopt` records the migrations that the database proves to have\n  cargo xtask adopt --help";

/// The answer to `--again` with `zero`.
const ONE: &str = "--again is for one migration\n  name it: cargo xtask migrate APP NAME --again";

#[derive(Debug, Clone, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask migrate                            all pending migrations
  cargo xtask migrate APP                        one app, and what it needs from others
  cargo xtask migrate APP 0001                   forward or back to exactly that migration
  cargo xtask migrate APP zero                   revert all migrations of one app
  cargo xtask migrate --plan                     show what would run
  cargo xtask migrate --check                    the same, but exit with 3 if anything would run
  cargo xtask migrate APP 0002 --again           you have edited 0002: revert it and apply it again

With --again the migration is reverted by its present down file and applied again, in one transaction, which is undone if the \
schema is then not what the files make. That is for a development database, for a migration that is not on the main branch, \
and while no applied one depends on it. Rows that would go need --confirm.

Exit codes: 1 a migration failed and was undone, or has no way back; 3 with --check, something is left to do; 4 refused to destroy data that might matter; 5 timed out waiting for another migration.")]
pub(crate) struct Args {
    /// Migrate only this app, and what it needs from others
    app: Option<String>,
    /// Migrate to exactly this migration (its number is enough), or to `zero`
    name: Option<String>,
    /// Show what would run, and write nothing
    #[arg(long)]
    plan: bool,
    /// The same, but exit with 3 if anything would run
    #[arg(long)]
    check: bool,
    /// Revert this edited migration and apply it again
    #[arg(long, requires = "name", conflicts_with_all = ["plan", "check"])]
    again: bool,
    /// The branch on which no migration may be edited, for --again [default: the main branch]
    #[arg(long, value_name = "BRANCH", requires = "again")]
    base: Option<String>,
    /// Refused: `adopt` does this, with proof
    #[arg(long, alias = "fake-initial", hide = true)]
    fake: bool,
    /// Skip the safety check when reverting, or remove rows with --again; repeat the database's name
    #[arg(long, value_name = "DATABASE", allow_hyphen_values = true)]
    confirm: Option<String>,
    #[command(flatten)]
    timeouts: Timeouts,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// `migrate` reports its steps alone.
#[derive(Serialize)]
struct NoMore {}

/// The report of `--plan --format json`.
#[derive(Serialize)]
struct Planned {
    plan: Vec<PlannedStep>,
}

#[derive(Serialize)]
struct PlannedStep {
    direction: &'static str,
    migration: String,
}

impl Args {
    /// Migrates each database, or the one of the app that is named.
    pub(crate) async fn run_in_each(self, checkout: &Checkout) -> anyhow::Result<()> {
        each_with(checkout, self.app.as_slice(), async |one, _| self.clone().run(one).await).await
    }

    async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        if self.fake {
            return Err(Stop::Usage(FAKE.to_owned()).into());
        }
        let project = checkout.project()?;
        let target = migrating::target(&project, self.app.as_deref(), self.name.as_deref())?;
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        if self.again {
            let Target::Migration(id) = &target else {
                return Err(Stop::Usage(ONE.to_owned()).into());
            };
            let mut steps = Steps::new(self.format);
            let again = Again {
                checkout,
                server: &server,
                project: &project,
                migration: project.migration(&id.app, &id.name)?,
                confirmed: self.confirm.as_deref(),
            };
            again.require_own_branch(self.base.as_deref())?;
            on_server(&server, again.run(self.timeouts, &mut steps)).await?;
            steps.finish(NoMore {});
            return Ok(());
        }
        on_server(&server, async {
            if self.plan || self.check {
                self.show_plan(&server, &project, &target).await
            } else {
                self.migrate(&server, &project, &target).await
            }
        })
        .await
    }

    async fn show_plan(&self, server: &Server, project: &Project, target: &Target) -> anyhow::Result<()> {
        let mut session = session::open_read_only(server, project).await?;
        let ledger = session.ledger(project).await?;
        let plan = Plan::new(project, &ledger, target)?;
        if self.format == Format::Json {
            let steps = plan
                .steps
                .iter()
                .map(|step| PlannedStep { direction: word(step), migration: step.migration.id.to_string() });
            output::json(&Planned { plan: steps.collect() });
        } else {
            print_plan(&plan);
        }
        if self.check && !plan.steps.is_empty() { Err(Stop::Differs.into()) } else { Ok(()) }
    }

    async fn migrate(&self, server: &Server, project: &Project, target: &Target) -> anyhow::Result<()> {
        let mut steps = Steps::new(self.format);
        let mut session = session::open(server, project, self.timeouts).await?;
        if !matches!(target, Target::Latest | Target::App(_)) {
            let ledger = session.ledger(project).await?;
            if Plan::new(project, &ledger, target)?.goes_back() {
                let found = session.found().await?;
                let what = "reverting migrations would destroy data in it";
                let again = ["migrate"].into_iter().chain(self.app.as_deref()).chain(self.name.as_deref());
                let again = again.collect::<Vec<_>>().join(" ");
                let (target, confirmed) = (server.database(), self.confirm.as_deref());
                let again = safety::again(&again, target);
                Destruction { target, what, confirmed, again }.check(&server.options, &found)?;
            }
        }
        migrating::run(&mut session, project, target, &mut steps).await?;
        session.close().await;
        steps.finish(NoMore {});
        Ok(())
    }
}

fn print_plan(plan: &Plan<'_>) {
    for step in &plan.steps {
        output::line(&format!("{:<8} {}", word(step), step.migration.id));
    }
    if plan.steps.is_empty() {
        output::line("nothing is left to do");
    } else {
        let all = count(plan.steps.len(), "migration", "migrations");
        let would = if plan.goes_back() { "would be reverted" } else { "would run" };
        output::line(&format!("{all} {would}; nothing was written"));
    }
}

fn word(step: &Step<'_>) -> &'static str {
    match step.direction {
        Direction::Up => "apply",
        Direction::Down => "revert",
    }
}
