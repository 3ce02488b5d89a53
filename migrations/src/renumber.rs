//! Lets a ledger follow its files to other numbers, after two branches used the same ones.

use std::collections::BTreeSet;

use sqlx::{Connection, PgConnection};

use crate::{
    Error, Ledger, LedgerProblem, Migration, MovedRow, OnEvent, Plan, Project, Step, apply, plan, record,
    watch::Watch,
};

/// What makes a ledger agree with renumbered files.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Renumbering<'p> {
    /// The rows to move.
    pub rows: Vec<MovedRow<'p>>,
    /// The migrations that come before them now and are not applied, in the order in which they run.
    pub late: Vec<&'p Migration>,
}

impl<'p> Renumbering<'p> {
    /// What to do if these rows move.
    ///
    /// # Errors
    /// [`Error::Ledger`] if the ledger would still contradict the files.
    pub fn new(
        project: &'p Project,
        ledger: &Ledger,
        rows: Vec<MovedRow<'p>>,
    ) -> Result<Renumbering<'p>, Error> {
        let moved = ledger.moved(&rows);
        let (mut late, mut other) = (BTreeSet::new(), Vec::new());
        for problem in moved.problems(project) {
            match problem {
                LedgerProblem::Late { id, .. } | LedgerProblem::WithoutParent { parent: id, .. } => {
                    late.insert(id);
                }
                problem => other.push(problem),
            }
        }
        if !other.is_empty() {
            return Err(Error::Ledger(other));
        }
        let all = &project.migrations;
        let late = (0..all.len()).filter(|&index| late.contains(&all[index].id)).collect();
        let needed = plan::with_ancestors(all, late).into_iter().map(|index| &all[index]);
        Ok(Renumbering { rows, late: needed.filter(|migration| !moved.has(migration)).collect() })
    }
}

/// Does the work of [`Session::renumber`](crate::Session::renumber).
pub(crate) async fn renumber_locked<'p, E: From<Error>>(
    conn: &mut PgConnection,
    project: &'p Project,
    watch: &Watch,
    on_event: OnEvent<'_>,
    choose: impl FnOnce(&Ledger) -> Vec<MovedRow<'p>>,
    before_commit: impl AsyncFnOnce(&mut PgConnection, &Ledger) -> Result<(), E>,
) -> Result<Renumbering<'p>, E> {
    let ledger = Ledger::read(conn, project).await?;
    let renumbering = Renumbering::new(project, &ledger, choose(&ledger))?;
    let mut transaction = conn.begin().await.map_err(Error::database("renumber the ledger"))?;
    record::create_ledgers(&mut transaction, project, &ledger).await?;
    for app in &project.apps {
        let rows = renumbering.rows.iter().filter(|row| row.migration.id.app == app.name);
        record::move_rows(&mut transaction, app, rows.copied().collect()).await?;
    }
    for migration in &renumbering.late {
        // One by one: a failure would list those before it as kept.
        let plan = Plan { steps: vec![Step::up(migration)] };
        apply::run(&mut transaction, project, &plan, &Ledger::default(), watch, on_event).await?;
    }
    let ledger = Ledger::read(&mut transaction, project).await?;
    ledger.require_agreement(project)?;
    // What else would be checked at the commit, after the caller's work.
    let checked = sqlx::raw_sql("set constraints all immediate").execute(&mut *transaction).await;
    checked.map_err(Error::database("check the deferred constraints"))?;
    before_commit(&mut transaction, &ledger).await?;
    transaction.commit().await.map_err(Error::database("renumber the ledger"))?;
    Ok(renumbering)
}
