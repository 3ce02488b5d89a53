//! Seeds: plain, idempotent SQL an app, in one transaction; what it did is read from Postgres itself.

use std::collections::BTreeMap;

use sqlx::{Connection, PgConnection};

use crate::{
    Error, Project, Script, Subject,
    apply::{ScriptError, restore_settings, run_script},
};

/// Whether a run of the seeds is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedMode {
    /// Kept.
    Write,
    /// Rolled back: it tells what would change.
    Check,
}

/// What happens to rows that the seeds do not name, where a seed file has a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prune {
    /// They stay.
    No,
    /// They go: the setting `seed.prune` is `on` while the files run.
    Yes,
}

/// Rows that the seeds changed in one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableChanges {
    /// The table.
    pub table: String,
    /// Rows inserted.
    pub inserted: i64,
    /// Rows updated.
    pub updated: i64,
    /// Rows deleted.
    pub deleted: i64,
}

/// What a run of the seeds did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeedReport {
    /// The tables that it changed, by name.
    pub tables: Vec<TableChanges>,
}

impl SeedReport {
    /// All rows that it inserted, updated or deleted.
    pub fn changes(&self) -> i64 {
        self.tables.iter().map(|table| table.inserted + table.updated + table.deleted).sum()
    }
}

/// Runs the seeds of all apps in one transaction, or within that which the caller has open. [`Session::seed`] also takes
/// the migration lock.
///
/// # Errors
/// As [`Session::seed`].
///
/// [`Session::seed`]: crate::Session::seed
pub async fn run_seeds(
    conn: &mut PgConnection,
    project: &Project,
    mode: SeedMode,
    prune: Prune,
) -> Result<SeedReport, Error> {
    let failed = || Error::database("run the seeds");
    let mut transaction = conn.begin().await.map_err(failed())?;
    // Postgres hands its counters on at most once a second, so those of earlier transactions may still stand here.
    let before = counters(&mut transaction).await?;
    for (app, script) in &project.seeds {
        let prune = if prune == Prune::Yes { "on" } else { "off" };
        let set = sqlx::query("select set_config('seed.prune', $1, true)").bind(prune);
        set.execute(&mut *transaction).await.map_err(failed())?;
        let ran = run_to_its_end(&mut transaction, script).await;
        ran.map_err(|error| error.told(Subject::Seed(app.clone()), script, &[]))?;
        restore_settings(&mut transaction).await?;
    }
    let mut report = SeedReport::default();
    for (table, after) in counters(&mut transaction).await? {
        let before = before.get(&table).copied().unwrap_or_default();
        let [inserted, updated, deleted] = [0, 1, 2].map(|i| after[i] - before[i]);
        if inserted + updated + deleted > 0 {
            report.tables.push(TableChanges { table, inserted, updated, deleted });
        }
    }
    match mode {
        SeedMode::Write => transaction.commit().await.map_err(failed())?,
        SeedMode::Check => transaction.rollback().await.map_err(failed())?,
    }
    Ok(report)
}

/// Runs one seed, with the constraints that would wait for the commit: a rehearsal has none, and there it would be too
/// late to say which file it was. The next file finds all of them deferred, and is held to them at its own end.
async fn run_to_its_end(conn: &mut PgConnection, script: &Script) -> Result<(), ScriptError> {
    run_script(conn, script).await?;
    for sql in ["set constraints all immediate", "set constraints all deferred"] {
        let set = sqlx::query(sql).execute(&mut *conn).await;
        set.map_err(|error| ScriptError { error, completed: usize::MAX })?;
    }
    Ok(())
}

/// Rows inserted, updated and deleted a table, as Postgres counts them for this session.
async fn counters(conn: &mut PgConnection) -> Result<BTreeMap<String, [i64; 3]>, Error> {
    let rows: Vec<(String, i64, i64, i64)> = sqlx::query_as(
        "select relname::text, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_xact_user_tables where schemaname = 'public'",
    )
    .fetch_all(conn)
    .await
    .map_err(Error::database("count the seeded rows"))?;
    Ok(rows
        .into_iter()
        .map(|(table, inserted, updated, deleted)| (table, [inserted, updated, deleted]))
        .collect())
}
