//! `cargo xtask adopt`: records migrations in the ledger whose effects the database already has, without running them.
//!
//! To prove that, it applies the migrations to a throwaway database and compares the two catalogues. If they are equal, the
//! database has everything that the migrations make.

use std::collections::BTreeSet;

use anyhow::Context;
use catalogue::{Catalogue, Change, Difference};
use clap::Args as ClapArgs;
use migrations::{
    Error, Ledger, LedgerProblem, Migration, MigrationId, Plan, Project, Session, Settings, Step, Target,
    schema::Reader, shell_word,
};
use serde::Serialize;
use sqlx::PgConnection;
use tests::scratch::Scratch;

use crate::{
    checkout::Checkout,
    database::{
        differences::{self, MADE},
        migrating, schema,
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
  cargo xtask adopt             as many pending migrations as the database proves to have
  cargo xtask adopt APP         the same for one app, and what it needs from others
  cargo xtask adopt APP 0002    exactly to that migration, and what it needs

It builds the applied and the pending migrations on a throwaway database, and records a migration only if the catalogues of the two databases are equal: every object with all its attributes, names of constraints, owners and rights. Only the order of columns may differ.

If another table is a ledger of sqlx and has recorded them, it records what that one says, without a comparison. A row belongs to the file whose text ran, and else to the one with its number.

It does not compare rows. A migration that only changes rows leaves no trace in the catalogue: it is adopted if a later one is proven or if you name it, and the report says so. To check the seeds: cargo xtask seed --check.

Exit codes: 3 the database differs, the lines say where, and nothing was recorded; 5 timed out waiting for another migration.")]
pub(crate) struct Args {
    /// Adopt only this app, and what it needs from others
    app: Option<String>,
    /// Adopt exactly to this migration; its number is enough
    name: Option<String>,
    #[command(flatten)]
    timeouts: Timeouts,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The result of the comparison.
#[derive(Debug, Default)]
struct Verdict {
    /// The proven migrations, or those that other ledgers record.
    adopted: Vec<MigrationId>,
    /// These ledgers.
    ledgers: Vec<String>,
    /// The migrations that stay pending.
    pending: Vec<MigrationId>,
    /// Migrations of both lists that leave no trace in the catalogue.
    traceless: Vec<MigrationId>,
    /// The state closest to the database, if no migration is proven.
    nearest: Option<Nearest>,
}

/// A state that the database is not in.
#[derive(Debug, Default)]
struct Nearest {
    /// The migration that leads to this state; `None` for the state before all pending migrations, which is the one that
    /// the database is in.
    after: Option<MigrationId>,
    differences: Vec<Difference>,
    /// The same for `--format json`.
    rows: Vec<differences::Row>,
    /// The differences as lines for people.
    lines: Vec<String>,
    /// Whether migrations outside the target are pending, which may explain unexpected objects.
    others: bool,
}

impl Nearest {
    /// The state after a migration, of which the catalogues are the expected and the found one.
    fn new(
        after: Option<MigrationId>,
        (expected, found): (&Catalogue, &Catalogue),
        differences: Vec<Difference>,
        others: bool,
    ) -> Nearest {
        let lines = differences::lines(expected, found, &differences, MADE);
        let rows = differences::rows(expected, found, &differences);
        Nearest { after, differences, rows, lines, others }
    }
}

/// What `--format json` reports besides the steps.
#[derive(Serialize)]
struct Report<'v> {
    adopted: Vec<String>,
    differences: &'v [differences::Row],
    /// The migration that leads to the nearest state.
    nearest: Option<String>,
    pending: Vec<String>,
    traceless: Vec<String>,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let target = migrating::target(&project, self.app.as_deref(), self.name.as_deref())?;
        if let Target::Zero(app) = target {
            let why =
                format!("adopt only adds to the ledger\n  to revert `{app}`: cargo xtask migrate {app} zero");
            return Err(Stop::Usage(why).into());
        }
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let mut steps = Steps::new(self.format);
        let anything = on_server(&server, async {
            let mut session = session::open_read_only(&server, &project).await?;
            let ledger = session.ledger(&project).await?;
            session.close().await;
            Ok(!ledger.recorded_elsewhere(&project).is_empty()
                || !lost(&project, &ledger).is_empty()
                || !pending(&project, &ledger, &target)?.is_empty())
        });
        if !anything.await? {
            return report(&project, &Verdict::default(), &mut steps);
        }
        let verdict = on_server(&server, self.adopt_recorded(&server, &project, &mut steps)).await?;
        if !verdict.adopted.is_empty() {
            return report(&project, &verdict, &mut steps);
        }
        let adopt = async |scratch: &mut Scratch, steps: &mut Steps| {
            on_server(&server, self.adopt(&server, scratch, &project, &target, steps)).await
        };
        let verdict = TestServer::with_scratch(checkout, &project, &mut steps, adopt).await?;
        report(&project, &verdict, &mut steps)
    }

    /// Records what ledgers in other tables say. They are a record of what ran, so nothing has to be proven.
    async fn adopt_recorded(
        &self,
        server: &Server,
        project: &Project,
        steps: &mut Steps,
    ) -> anyhow::Result<Verdict> {
        let mut session = session::open(server, project, self.timeouts).await?;
        let mut verdict = Verdict::default();
        let read = async |_: &mut PgConnection, ledger: &Ledger| {
            for (table, migrations) in ledger.recorded_elsewhere(project) {
                let new = migrations.into_iter().map(|it| it.id.clone());
                let new: Vec<MigrationId> = new.filter(|id| !verdict.adopted.contains(id)).collect();
                verdict.adopted.extend(new);
                verdict.ledgers.push(table.to_owned());
            }
            anyhow::Ok(verdict.adopted.clone())
        };
        session.adopt(project, &mut |event| migrating::report(steps, &event), read).await?;
        session.close().await;
        Ok(verdict)
    }

    async fn adopt(
        &self,
        server: &Server,
        scratch: &mut Scratch,
        project: &Project,
        target: &Target,
        steps: &mut Steps,
    ) -> anyhow::Result<Verdict> {
        let mut session = session::open(server, project, self.timeouts).await?;
        let mut model = Session::connect(&scratch.options(), Settings::default()).await?;
        let mut verdict = Verdict::default();
        steps.doing("adopt", "building the schema on a throwaway database");
        let prove = async |conn: &mut PgConnection, ledger: &Ledger| {
            let found;
            (verdict, found) = judge(conn, &mut model, scratch, project, ledger, target).await?;
            // A change of the schema by hand takes no migration lock, and building takes a while.
            if schema::read(conn, project).await? != found {
                let why = "the schema changed meanwhile; nothing was recorded\n  run the same command again";
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

/// The migrations left to adopt; none if the target is older than what is applied.
fn pending<'p>(project: &'p Project, ledger: &Ledger, target: &Target) -> anyhow::Result<Vec<&'p Migration>> {
    let steps: Vec<Step<'p>> = match Plan::new(project, ledger, target) {
        Err(Error::NoWayBack(_)) => Vec::new(),
        plan => Some(plan?).filter(|plan| !plan.goes_back()).map(|plan| plan.steps).unwrap_or_default(),
    };
    Ok(steps.into_iter().map(|step| step.migration).collect())
}

/// Compares the database with what its migrations make. Returns also its catalogue at that time.
async fn judge(
    conn: &mut PgConnection,
    model: &mut Session,
    scratch: &mut Scratch,
    project: &Project,
    ledger: &Ledger,
    target: &Target,
) -> anyhow::Result<(Verdict, Catalogue)> {
    let lost = lost(project, ledger);
    if !lost.is_empty() {
        let found = schema::read(conn, project).await?;
        return Ok((judge_lost(model, scratch, project, ledger, target, &lost, &found).await?, found));
    }
    let pending = pending(project, ledger, target)?;
    // They are of two databases, so neither waits for the other.
    let (found, built) =
        tokio::try_join!(schema::read(conn, project), Built::new(model, scratch, project, ledger, &pending))?;
    let verdict = match built.map(|built| built.judge(&pending, target, &found)) {
        // Another process adopted them while we waited for the lock.
        None => Verdict::default(),
        Some(Some(verdict)) => verdict,
        Some(None) => {
            scratch.empty().await?;
            *model = Session::connect(&scratch.options(), Settings::default()).await?;
            judge_in_steps(model, scratch, project, ledger, target, &pending, &found).await?
        }
    };
    Ok((verdict, found))
}

/// What the applied and the pending migrations make.
struct Built {
    /// Before the last one.
    before: Catalogue,
    end: Catalogue,
    /// The others that left no trace in it. What one wrote may be gone by now; that, too, is no trace.
    traceless: Vec<MigrationId>,
}

impl Built {
    /// Builds them on a throwaway database. `None`: none is pending.
    async fn new(
        model: &mut Session,
        scratch: &Scratch,
        project: &Project,
        ledger: &Ledger,
        pending: &[&Migration],
    ) -> anyhow::Result<Option<Built>> {
        let Some((last, earlier)) = pending.split_last() else { return Ok(None) };
        build(model, project, ledger.applied_in(project)).await?;
        let mut reader = Reader::connect(&scratch.options(), &project.left_out()).await?;
        let mut ends = vec![reader.next_transaction().await?];
        build_in_steps(model, project, earlier, async || {
            ends.push(reader.next_transaction().await?);
            Ok(())
        })
        .await?;
        let before = reader.read().await?;
        build(model, project, [*last]).await?;
        let (end, writers) = (reader.read().await?, reader.writers().await?);
        reader.close().await;
        let traceless = earlier
            .iter()
            .zip(ends.windows(2))
            .filter(|(_, ends)| !writers.iter().any(|writer| (ends[0]..ends[1]).contains(writer)))
            .map(|(migration, _)| migration.id.clone())
            .collect();
        Ok(Some(Built { before, end, traceless }))
    }

    /// Compares it with `found`, the catalogue of the database. `None`: they differ, or the last migration proves nothing.
    fn judge(self, pending: &[&Migration], target: &Target, found: &Catalogue) -> Option<Verdict> {
        let leaves_trace = !differences::real(&self.before, &self.end).is_empty();
        // A migration without a trace proves nothing: as the last one, it is recorded only if it was named.
        let proves = leaves_trace || matches!(target, Target::Migration(..));
        if !proves || !differences::from_database(&self.end, found).is_empty() {
            return None;
        }
        let adopted: Vec<MigrationId> = pending.iter().map(|migration| migration.id.clone()).collect();
        let last = adopted.last().cloned().filter(|_| !leaves_trace);
        let traceless = self.traceless.into_iter().chain(last).collect();
        Some(Verdict { adopted, traceless, ..Verdict::default() })
    }
}

/// The migrations without a row that applied ones need or follow. Unless someone skipped them, their rows were lost.
fn lost<'p>(project: &'p Project, ledger: &Ledger) -> Vec<&'p Migration> {
    let problems = ledger.problems(project);
    let missing = |problem: &LedgerProblem| match problem {
        LedgerProblem::Late { id, .. } | LedgerProblem::WithoutParent { parent: id, .. } => Some(id.clone()),
        _ => None,
    };
    let lost: BTreeSet<MigrationId> = problems.iter().filter_map(missing).collect();
    ledger.pending(project).into_iter().filter(|migration| lost.contains(&migration.id)).collect()
}

/// Compares the state after the applied and the lost migrations, in their order, with the database.
async fn judge_lost(
    model: &mut Session,
    scratch: &Scratch,
    project: &Project,
    ledger: &Ledger,
    target: &Target,
    lost: &[&Migration],
    found: &Catalogue,
) -> anyhow::Result<Verdict> {
    let mut reader = Reader::connect(&scratch.options(), &project.left_out()).await?;
    let mut traceless = Vec::new();
    let ids: Vec<MigrationId> = lost.iter().map(|migration| migration.id.clone()).collect();
    let is_lost: BTreeSet<&MigrationId> = ids.iter().collect();
    for migration in &project.migrations {
        if is_lost.contains(&migration.id) {
            let before = reader.read().await?;
            build(model, project, [migration]).await?;
            if differences::real(&before, &reader.read().await?).is_empty() {
                traceless.push(migration.id.clone());
            }
        } else if ledger.has(migration) {
            build(model, project, [migration]).await?;
        }
    }
    let state = reader.read().await?;
    reader.close().await;
    let differences = differences::from_database(&state, found);
    if differences.is_empty() {
        let named = matches!(target, Target::Migration(..));
        let (adopted, pending) =
            if named || traceless.is_empty() { (ids, Vec::new()) } else { (Vec::new(), ids) };
        return Ok(Verdict { adopted, pending, traceless, ..Verdict::default() });
    }
    let others = ledger.pending(project).len() > lost.len();
    let nearest = Nearest::new(ids.last().cloned(), (&state, found), differences, others);
    Ok(Verdict { pending: ids, traceless, nearest: Some(nearest), ..Verdict::default() })
}

/// Builds them once more, one by one, and compares the state after each pending migration with the database.
async fn judge_in_steps(
    model: &mut Session,
    scratch: &Scratch,
    project: &Project,
    ledger: &Ledger,
    target: &Target,
    pending: &[&Migration],
    found: &Catalogue,
) -> anyhow::Result<Verdict> {
    build(model, project, ledger.applied_in(project)).await?;
    let mut reader = Reader::connect(&scratch.options(), &project.left_out()).await?;
    let mut states = vec![reader.read().await?];
    build_in_steps(model, project, pending, async || {
        states.push(reader.read().await?);
        Ok(())
    })
    .await?;
    reader.close().await;

    let named = matches!(target, Target::Migration(..));
    let others = ledger.pending(project).len() > pending.len();
    let (mut proven, mut nearest, mut traceless) = (0, None::<Nearest>, Vec::new());
    for (index, (migration, state)) in pending.iter().zip(states.windows(2)).enumerate() {
        let [before, after] = state else { continue };
        let leaves_trace = !differences::real(before, after).is_empty();
        if !leaves_trace {
            traceless.push(migration.id.clone());
        }
        if named && index + 1 < pending.len() {
            continue;
        }
        let differences = differences::from_database(after, found);
        if differences.is_empty() && (leaves_trace || named) {
            proven = index + 1;
        }
        if nearest.as_ref().is_none_or(|nearest| differences.len() < nearest.differences.len()) {
            nearest = Some(Nearest::new(Some(migration.id.clone()), (after, found), differences, others));
        }
    }
    let unchanged = states.first().is_some_and(|first| differences::from_database(first, found).is_empty());
    let nearest = match proven {
        0 if unchanged && !named => Some(Nearest { others, ..Nearest::default() }),
        0 => nearest,
        _ => None,
    };
    let ids = |migrations: &[&Migration]| migrations.iter().map(|migration| migration.id.clone()).collect();
    let (adopted, pending) = (ids(&pending[..proven]), ids(&pending[proven..]));
    Ok(Verdict { adopted, pending, traceless, nearest, ..Verdict::default() })
}

/// Applies these migrations in turn, which the graph allows.
async fn build<'m>(
    model: &mut Session,
    project: &Project,
    migrations: impl IntoIterator<Item = &'m Migration>,
) -> anyhow::Result<()> {
    let migrations: Vec<&Migration> = migrations.into_iter().collect();
    build_in_steps(model, project, &migrations, async || Ok(())).await
}

async fn build_in_steps(
    model: &mut Session,
    project: &Project,
    migrations: &[&Migration],
    mut after: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let steps: Vec<Step<'_>> = migrations.iter().copied().map(Step::up).collect();
    let applied = model.run_steps(project, &steps, async |_, _| after().await).await;
    applied.context("on a throwaway database")
}

fn report(project: &Project, verdict: &Verdict, steps: &mut Steps) -> anyhow::Result<()> {
    print(project, verdict, steps);
    let Verdict { adopted, pending, traceless, nearest, .. } = verdict;
    let names = |ids: &[MigrationId]| ids.iter().map(ToString::to_string).collect();
    let after = nearest.as_ref().and_then(|nearest| nearest.after.as_ref()).map(ToString::to_string);
    steps.finish(Report {
        adopted: names(adopted),
        differences: nearest.as_ref().map_or(&[], |nearest| nearest.rows.as_slice()),
        nearest: after,
        pending: names(pending),
        traceless: names(traceless),
    });
    if nearest.is_none() { Ok(()) } else { Err(Stop::Differs.into()) }
}

/// The report for people.
fn print(project: &Project, verdict: &Verdict, steps: &mut Steps) {
    let Verdict { adopted, ledgers, pending, traceless, nearest } = verdict;
    for id in adopted {
        steps.done("adopt", &id.to_string(), "adopted", None);
    }
    for table in ledgers {
        steps.note(&format!(
            "           {table} had recorded them; see whether the schema agrees: cargo xtask db-check"
        ));
    }
    for id in traceless.iter().filter(|id| adopted.contains(id)) {
        steps.note(&format!("           {id} leaves no trace in the catalogue, so its rows are not proven"));
    }
    if let Some(Nearest { after: Some(id), differences, lines, others, .. }) = nearest {
        steps.done("adopt", &format!("as after {id}"), "differs", None);
        for line in lines {
            steps.note(&format!("  {line}"));
        }
        steps.note("\nnothing was recorded; fix the database, and run the same command again");
        if *others && differences.iter().any(|it| it.change == Change::Unexpected) {
            steps.note(
                "if another pending migration made the unexpected objects, adopt that too: cargo xtask adopt",
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
            let (app, name) = (&first.app, shell_word(&first.name));
            steps.note(&format!(
                "it leaves no trace in the catalogue; if its rows are there: cargo xtask adopt {app} {name}"
            ));
        }
        steps.note("apply what is pending: cargo xtask migrate");
    } else if adopted.is_empty() {
        steps.done("adopt", &count(project.migrations.len(), "migration", "migrations"), "0 pending", None);
    }
}
