//! Seeds: plain, idempotent SQL, one file for each app, all in one transaction. Postgres itself counts the changed rows.

use std::collections::BTreeMap;

use catalogue::{Address, Catalogue, Change, Difference};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::sleep;

use crate::{
    Error, Event, Failure, OnEvent, Place, Project, Remains, Script, Seed, Subject, retry,
    running::{ScriptError, restore_settings, run_script},
    schema,
    sqlstate::{self, Again},
    watch::Watch,
};

const DOING: &str = "run the seeds";
/// How often the seeds are tried while other sessions change the schema.
const ATTEMPTS: u32 = 5;

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
    /// The table's name, with its schema unless that is `public`.
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
/// [`Error::Failed`] if a seed's statement fails, [`Error::SeedChangesSchema`]; nothing of any seed is kept then.
/// [`Error::BrokeOff`], [`Error::Database`].
pub async fn run_seeds(
    conn: &mut PgConnection,
    project: &Project,
    mode: SeedMode,
    prune: Prune,
) -> Result<SeedReport, Error> {
    let failed = || Error::database(DOING);
    let mut transaction = conn.begin().await.map_err(failed())?;
    // Postgres flushes its counters at most once a second, so these may include earlier transactions.
    let mut before = counters(&mut transaction).await?;
    let written = catalogue_writes(&mut transaction).await?;
    execute(&mut transaction, "savepoint before_the_seeds").await?;
    for seed in &project.seeds {
        run_seed(&mut transaction, seed, prune).await?;
    }
    if written.is_none() || catalogue_writes(&mut transaction).await? != written {
        // Perhaps only temporary tables, or a change that was taken back.
        before = run_compared(&mut transaction, project, prune).await?;
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
        SeedMode::Write => transaction.commit().await.map_err(Error::database(
            "commit the seeds; all of them were kept or none, and the same command completes them",
        ))?,
        SeedMode::Check => transaction.rollback().await.map_err(failed())?,
    }
    Ok(report)
}

async fn run_seed(conn: &mut PgConnection, seed: &Seed, prune: Prune) -> Result<(), Error> {
    let Seed { app, script } = seed;
    let prune = if prune == Prune::Yes { "on" } else { "off" };
    let set = sqlx::query("select set_config('seed.prune', $1, true)").bind(prune);
    set.execute(&mut *conn).await.map_err(Error::database(DOING))?;
    let ran = run_to_its_end(conn, script).await;
    ran.map_err(|error| error.into_error(Subject::Seed { app: app.clone() }, script, Remains::Nothing, &[]))?;
    restore_settings(conn).await
}

/// Runs the seeds once more, and compares the schema before and after each. Temporary tables are not in it. Returns the
/// counters from before.
async fn run_compared(
    conn: &mut PgConnection,
    project: &Project,
    prune: Prune,
) -> Result<BTreeMap<String, [i64; 3]>, Error> {
    let leave_out = project.left_out();
    for _ in 0..ATTEMPTS {
        execute(conn, "rollback to savepoint before_the_seeds").await?;
        // Postgres also counts what was rolled back.
        let counted = counters(conn).await?;
        let Some(found) = first_change(conn, project, &leave_out, prune).await? else { return Ok(counted) };
        // What another session did is still there without the seed.
        execute(conn, "rollback to savepoint before_the_seeds").await?;
        let undone = schema::read_within(conn, &leave_out).await?;
        let own = changes(&undone, &found.after);
        let changes: Vec<String> = found.changes.into_iter().filter(|change| own.contains(change)).collect();
        if !changes.is_empty() {
            let (app, place) = (found.seed.app.clone(), Place::file(&found.seed.script.path));
            return Err(Error::SeedChangesSchema { app, place, changes });
        }
    }
    Err(Error::SchemaChanges)
}

/// A change of the schema while a seed ran.
struct Found<'p> {
    seed: &'p Seed,
    changes: Vec<String>,
    after: Catalogue,
}

/// Runs the seeds up to the first one during which the schema changed.
async fn first_change<'p>(
    conn: &mut PgConnection,
    project: &'p Project,
    leave_out: &[&str],
    prune: Prune,
) -> Result<Option<Found<'p>>, Error> {
    let mut before = schema::read_within(conn, leave_out).await?;
    for seed in &project.seeds {
        run_seed(conn, seed, prune).await?;
        let after = schema::read_within(conn, leave_out).await?;
        let changes = changes(&before, &after);
        if !changes.is_empty() {
            return Ok(Some(Found { seed, changes, after }));
        }
        before = after;
    }
    Ok(None)
}

/// What a seed did to the schema, without the parts of what it made or dropped.
fn changes(before: &Catalogue, after: &Catalogue) -> Vec<String> {
    let differences = catalogue::differences(before, after);
    let is_part = |part: &Address| {
        let mut others = differences.iter().map(|difference| &difference.address);
        others.any(|whole| !whole.kind.is_part() && part.is_part_of(whole))
    };
    let shown = differences.iter().filter(|difference| !is_part(&difference.address));
    let line = |Difference { address, change }: &Difference| match change {
        Change::Unexpected => format!("it makes {address}"),
        Change::Missing => format!("it drops {address}"),
        Change::Differs { attribute, .. } => format!("it changes {address}: {}", catalogue::words(attribute)),
    };
    shown.map(line).collect()
}

/// Runs the seeds in a transaction of their own, and again while other sessions are in their way.
pub(crate) async fn run_with_retries(
    conn: &mut PgConnection,
    project: &Project,
    (mode, prune): (SeedMode, Prune),
    watch: &Watch,
    on_event: OnEvent<'_>,
) -> Result<SeedReport, Error> {
    let mut attempt = 1;
    loop {
        let (done, blockers) = watch.during(run_seeds(&mut *conn, project, mode, prune)).await;
        let Err(Error::Failed(mut failure)) = done else { return done };
        failure.blockers = blockers;
        let again = sqlstate::lookup(&failure.code).is_some_and(|known| known.again == Again::Transaction);
        let pause = retry::pause_after(attempt).filter(|_| again);
        let Some(pause) = pause else { return Err(Error::Failed(failure)) };
        attempt += 1;
        let Failure { subject, code, blockers, .. } = &*failure;
        on_event(Event::Retrying { subject, code, blockers, attempt, pause });
        sleep(pause).await;
    }
}

/// Runs one seed, and checks the deferred constraints at its end: a rehearsal never commits, and at a commit it would be
/// too late to say which file broke one. The next file starts with all of them deferred again.
async fn run_to_its_end(conn: &mut PgConnection, script: &Script) -> Result<(), ScriptError> {
    run_script(conn, script).await?;
    for sql in ["set constraints all immediate", "set constraints all deferred"] {
        let set = sqlx::query(sql).execute(&mut *conn).await;
        set.map_err(|error| ScriptError::new(error, usize::MAX))?;
    }
    Ok(())
}

async fn execute(conn: &mut PgConnection, sql: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(sql).execute(conn).await.map_err(Error::database(DOING))?;
    Ok(())
}

/// How many rows of the system catalogues this session has written.
async fn catalogue_writes(conn: &mut PgConnection) -> Result<Option<i64>, Error> {
    let written = sqlx::query_scalar(AssertSqlSafe(catalogue::written())).fetch_one(conn).await;
    written.map_err(Error::database("ask whether the seeds change the schema"))
}

/// Rows inserted, updated and deleted in each table, as Postgres counts them for this session. Temporary tables are left out.
async fn counters(conn: &mut PgConnection) -> Result<BTreeMap<String, [i64; 3]>, Error> {
    let rows: Vec<(String, i64, i64, i64)> = sqlx::query_as(
        "select case when schemaname = 'public' then '' else schemaname || '.' end || relname, n_tup_ins, n_tup_upd, n_tup_del
         from pg_stat_xact_user_tables where schemaname !~ '^pg_temp_'",
    )
    .fetch_all(conn)
    .await
    .map_err(Error::database("count the seeded rows"))?;
    Ok(rows
        .into_iter()
        .map(|(table, inserted, updated, deleted)| (table, [inserted, updated, deleted]))
        .collect())
}
