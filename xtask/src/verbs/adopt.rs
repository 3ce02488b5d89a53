//! `cargo xtask adopt`: records in the ledger what a database proves to hold already, and runs nothing there.
//!
//! The proof is a throwaway database that the migrations are applied to: where its catalogue is the same text as that of
//! the database, each of them has been there.

use anyhow::Context;
use clap::Args as ClapArgs;
use migrations::{Ledger, Migration, MigrationId, Plan, Project, Session, Settings, Step, Target};
use serde_json::json;
use sqlx::PgConnection;
use tests::Scratch;

use crate::{
    catalogue::{
        Catalogue,
        differences::{Difference, between, lines_for_people},
    },
    checkout::Checkout,
    database::{
        migrating,
        session::{self, Timeouts, on_server},
    },
    server::{self, Server},
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{Steps, count},
    },
    throwaway::test_server::TestServer,
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask adopt             as much of what is pending as is there
  cargo xtask adopt APP         the same of one app, and what it needs of others
  cargo xtask adopt APP 0002    exactly to that one, and what it needs

What is applied and what would be adopted is built on a throwaway database of a test server. Only where its catalogue is the same as this database's, object by object, with the order of columns, names of constraints, owners and rights, is it recorded.

Rows are not compared. A migration that changes rows alone leaves no trace in the catalogue: it is adopted where a later one is proven, or where it is named, and told. For the seeds: cargo xtask seed --check.

Exit codes: 3 the database does not hold it, the lines say why, and nothing was recorded; 5 somebody else migrates.")]
pub(crate) struct Args {
    /// Only this app, and what it needs of others
    app: Option<String>,
    /// Exactly to this migration; its number is enough
    name: Option<String>,
    #[command(flatten)]
    timeouts: Timeouts,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What the comparison says.
#[derive(Debug, Default)]
struct Verdict {
    /// Those that are proven.
    adopted: Vec<MigrationId>,
    /// Those that are not recorded.
    pending: Vec<MigrationId>,
    /// Those of both that leave no trace in the catalogue.
    traceless: Vec<MigrationId>,
    /// Where nothing is proven, the state that is nearest.
    nearest: Option<Nearest>,
}

/// A state that the database is not in.
#[derive(Debug)]
struct Nearest {
    /// The migration after which it would be so; `None`: before all that is pending, and it is in that.
    after: Option<MigrationId>,
    differences: Vec<Difference>,
    /// Whether others are pending that were not asked for, and so may have made what was not expected.
    others: bool,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let target = migrating::target(&project, self.app.as_deref(), self.name.as_deref())?;
        if let Target::Zero(app) = target {
            let why = format!(
                "adopt only adds to the ledger\n  to take `{app}` back: cargo xtask migrate {app} zero"
            );
            return Err(Stop::Usage(why).into());
        }
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let mut steps = Steps::new(self.format);
        let anything = on_server(&server, async {
            let mut session = session::open_read_only(&server, &project).await?;
            let ledger = session.ledger(&project).await?;
            session.close().await;
            Ok(!pending(&project, &ledger, &target)?.is_empty())
        });
        if !anything.await? {
            return report(&project, &Verdict::default(), &mut steps);
        }
        let adopt = async |scratch: &Scratch, steps: &mut Steps| {
            on_server(&server, self.adopt(&server, scratch, &project, &target, steps)).await
        };
        let verdict = TestServer::with_scratch(checkout, &project, &mut steps, adopt).await?;
        report(&project, &verdict, &mut steps)
    }

    async fn adopt(
        &self,
        server: &Server,
        scratch: &Scratch,
        project: &Project,
        target: &Target,
        steps: &mut Steps,
    ) -> anyhow::Result<Verdict> {
        let mut session = session::open(server, project, self.timeouts).await?;
        let mut model = Session::connect(&scratch.options(), Settings::default()).await?;
        let mut verdict = Verdict::default();
        steps.doing("adopt", "building the same on a throwaway database");
        let prove = async |conn: &mut PgConnection, ledger: &Ledger| {
            let found = Catalogue::read(conn, project).await?;
            verdict = judge(&mut model, project, ledger, target, &found).await?;
            // Not everybody who changes a schema takes the migration lock, and building the same takes its time.
            if Catalogue::read(conn, project).await? != found {
                let why = "somebody changed the schema meanwhile; nothing was recorded\n  run the same command again";
                return Err(Stop::Unfit(why.to_owned()).into());
            }
            anyhow::Ok(verdict.adopted.clone())
        };
        session.adopt(project, &mut |event| migrating::report(steps, &event), prove).await?;
        model.close().await;
        session.close().await;
        Ok(verdict)
    }
}

/// What is left to adopt. Where the target is behind what is applied, it is applied itself.
fn pending<'p>(project: &'p Project, ledger: &Ledger, target: &Target) -> anyhow::Result<Vec<&'p Migration>> {
    let plan = Plan::new(project, ledger, target)?;
    let steps: Vec<Step<'p>> = if plan.goes_back() { Vec::new() } else { plan.steps };
    Ok(steps.into_iter().map(|step| step.migration).collect())
}

/// Builds what is applied, then what is pending, one by one, and compares each state with what was found.
async fn judge(
    model: &mut Session,
    project: &Project,
    ledger: &Ledger,
    target: &Target,
    found: &Catalogue,
) -> anyhow::Result<Verdict> {
    let pending = pending(project, ledger, target)?;
    if pending.is_empty() {
        // Whoever held the lock before us has done it.
        return Ok(Verdict::default());
    }
    for migration in project.migrations.iter().filter(|migration| ledger.has(migration)) {
        apply(model, project, migration).await?;
    }
    let mut before = Catalogue::read(model.connection(), project).await?;
    let unchanged = before == *found;
    let named = matches!(target, Target::Migration(..));
    let others = ledger.pending(project).len() > pending.len();
    let (mut proven, mut states, mut traceless) = (0, Vec::new(), Vec::new());
    for (index, migration) in pending.iter().enumerate() {
        apply(model, project, migration).await?;
        let after = Catalogue::read(model.connection(), project).await?;
        let leaves_trace = after != before;
        if !leaves_trace {
            traceless.push(migration.id.clone());
        }
        if !named || index + 1 == pending.len() {
            let differences = between(&after, found);
            // Rows alone prove nothing: such a one is recorded only if it was named, or if a later one is proven.
            if differences.is_empty() && (leaves_trace || named) {
                proven = index + 1;
            }
            states.push(Nearest { after: Some(migration.id.clone()), differences, others });
        }
        before = after;
    }
    let nearest = match proven {
        0 if unchanged && !named => Some(Nearest { after: None, differences: Vec::new(), others }),
        0 => states.into_iter().min_by_key(|state| state.differences.len()),
        _ => None,
    };
    let ids = |of: &[&Migration]| of.iter().map(|migration| migration.id.clone()).collect::<Vec<_>>();
    Ok(Verdict { adopted: ids(&pending[..proven]), pending: ids(&pending[proven..]), traceless, nearest })
}

async fn apply(model: &mut Session, project: &Project, migration: &Migration) -> anyhow::Result<()> {
    let target = Target::Migration(migration.id.app.clone(), migration.id.name.clone());
    let applied = model.migrate(project, &target, &mut |_| {}).await;
    applied.context("on a throwaway database")?;
    Ok(())
}

fn report(project: &Project, verdict: &Verdict, steps: &mut Steps) -> anyhow::Result<()> {
    let Verdict { adopted, pending, traceless, nearest } = verdict;
    for id in adopted {
        steps.done("adopt", &id.to_string(), "adopted", None);
    }
    for id in traceless.iter().filter(|id| adopted.contains(id)) {
        steps.note(&format!("           {id} leaves no trace in the catalogue, so its rows are not proven"));
    }
    if let Some(Nearest { after: Some(id), differences, others }) = nearest {
        steps.done("adopt", &format!("as after {id}"), "differs", None);
        for line in lines_for_people(differences) {
            steps.note(&format!("  {line}"));
        }
        steps.note("\nnothing was recorded; mend the database, and run the same command again");
        if *others && differences.iter().any(Difference::is_unexpected) {
            steps.note(
                "if another pending migration made what is unexpected, adopt that too: cargo xtask adopt",
            );
        }
    } else if let Some(first) = pending.first() {
        let recorded = if adopted.is_empty() { "nothing was recorded: " } else { "" };
        let left = match pending.len() {
            1 => format!("{first} stays pending"),
            n => format!("{n} migrations stay pending, {first} first"),
        };
        steps.note(&format!("\n{recorded}{left}"));
        if traceless.contains(first) {
            let (app, name) = (&first.app, &first.name);
            steps.note(&format!(
                "it leaves no trace in the catalogue; if its rows are there: cargo xtask adopt {app} {name}"
            ));
        }
        steps.note("apply what is not there: cargo xtask migrate");
    } else if adopted.is_empty() {
        steps.done("adopt", &count(project.migrations.len(), "migration", "migrations"), "0 pending", None);
    }
    let names = |ids: &[MigrationId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let after = nearest.as_ref().and_then(|nearest| nearest.after.as_ref()).map(ToString::to_string);
    let differences = nearest.as_ref().map_or(&[][..], |nearest| nearest.differences.as_slice());
    steps.finish(json!({
        "adopted": names(adopted), "pending": names(pending), "traceless": names(traceless),
        "nearest": after, "differences": differences,
    }));
    if nearest.is_none() { Ok(()) } else { Err(Stop::Differs.into()) }
}
