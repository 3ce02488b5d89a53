//! Seeds: plain, idempotent SQL, one file for each app, all in one transaction. Postgres itself counts the changed rows.

use std::collections::BTreeMap;

use sqlx::{Connection, PgConnection};

use crate::{
    Error, Project, Script, Seed, Subject,
    apply::{ScriptError, restore_settings, run_script},
};

/// Whether the changes of a run of the seeds are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedMode {
    /// Kept.
    Write,
    /// Rolled back, to report what would change.
    Check,
}

/// What happens to rows that the seeds do not list, if a seed file reads the setting `seed.prune`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prune {
    /// They stay: the setting is `off`.
    No,
    /// They are deleted: the setting is `on`.
    Yes,
}

/// Rows that the seeds changed in one table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct SeedReport {
    /// The changed tables, by name.
    pub tables: Vec<TableChanges>,
}

impl SeedReport {
    /// The number of rows inserted, updated or deleted in all tables.
    pub fn changes(&self) -> i64 {
        self.tables.iter().map(|table| table.inserted + table.updated + table.deleted).sum()
    }
}

/// Runs the seeds of all apps in one transaction, or inside the caller's open one. `Session::seed` also takes the
/// migration lock.
///
/// # Errors
/// [`Error::Failed`] if a seed's statement fails; nothing of any seed is kept then. [`Error::BrokeOff`],
/// [`Error::Database`].
pub async fn run_seeds(
    conn: &mut PgConnection,
    project: &Project,
    mode: SeedMode,
    prune: Prune,
) -> Result<SeedReport, Error> {
    let failed = || Error::database("run the seeds");
    let mut transaction = conn.begin().await.map_err(failed())?;
    // Postgres flushes its counters at most once a second, so these may include earlier transactions.
    let before = counters(&mut transaction).await?;
    for Seed { app, script } in &project.seeds {
        let prune = if prune == Prune::Yes { "on" } else { "off" };
        let set = sqlx::query("select set_config('seed.prune', $1, true)").bind(prune);
        set.execute(&mut *transaction).await.map_err(failed())?;
        let ran = run_to_its_end(&mut transaction, script).await;
        ran.map_err(|error| error.into_error(Subject::Seed { app: app.clone() }, script, &[]))?;
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

/// Runs one seed, and checks the deferred constraints at its end: a rehearsal never commits, and at a commit it would be
/// too late to say which file broke one. The next file starts with all of them deferred again.
async fn run_to_its_end(conn: &mut PgConnection, script: &Script) -> Result<(), ScriptError> {
    run_script(conn, script).await?;
    for sql in ["set constraints all immediate", "set constraints all deferred"] {
        let set = sqlx::query(sql).execute(&mut *conn).await;
        set.map_err(|error| ScriptError { error, completed: usize::MAX })?;
    }
    Ok(())
}

/// Rows inserted, updated and deleted in each table, as Postgres counts them for this session.
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
