//! Builds what the migrations make on a throwaway database, and compares it with the database.

use std::collections::BTreeSet;

use anyhow::Context;
use catalogue::Catalogue;
use migrations::{
    Error, Ledger, LedgerProblem, Migration, MigrationId, Plan, Project, Session, Settings, Step, Target,
    schema::Reader,
};
use sqlx::PgConnection;
use tests::scratch::Scratch;

use crate::{
    database::{differences, schema},
    verbs::adopt::verdict::{Nearest, Verdict},
};

/// The migrations left to adopt; none if the target is older than what is applied.
pub(super) fn pending<'p>(
    project: &'p Project,
    ledger: &Ledger,
    target: &Target,
) -> anyhow::Result<Vec<&'p Migration>> {
    let steps: Vec<Step<'p>> = match Plan::new(project, ledger, target) {
        Err(Error::NoWayBack(_)) => Vec::new(),
        plan => Some(plan?).filter(|plan| !plan.goes_back()).map(|plan| plan.steps).unwrap_or_default(),
    };
    Ok(steps.into_iter().map(|step| step.migration).collect())
}

/// Compares the database with what its migrations make. Returns also its catalogue at that time.
pub(super) async fn judge(
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
pub(super) fn lost<'p>(project: &'p Project, ledger: &Ledger) -> Vec<&'p Migration> {
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
