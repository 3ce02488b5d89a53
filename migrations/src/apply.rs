//! Runs a plan: one transaction per migration, with its ledger row inside, retried if another session's lock was in the
//! way.

use std::{
    hash::{BuildHasher, Hasher},
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrate, postgres::PgDatabaseError};

use crate::{
    App, Direction, Error, Event, Failure, Migration, MigrationId, OnEvent, Place, Plan, Project, Script,
    Step, Subject,
    index::{self, InvalidIndex},
};

/// How often we try a migration while others hold locks that it needs.
const LOCK_TRIES: u32 = 5;
/// Pause after the first such try. It doubles, and is stretched at random so that two runners don't stay in step.
const LOCK_PAUSE: Duration = Duration::from_millis(200);
/// SQLSTATE of `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Runs the plan's steps. What was done before a failure stays, and the failure lists it.
pub(crate) async fn run(
    conn: &mut PgConnection,
    project: &Project,
    plan: &Plan<'_>,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let mut kept: Vec<MigrationId> = Vec::new();
    for step in &plan.steps {
        on_event(Event::Started { step });
        let start = Instant::now();
        let app = &project.apps[step.migration.app];
        let script = step.script;
        let done = if script.no_transaction {
            outside_transaction(conn, app, step, script, on_event).await
        } else {
            with_retries(conn, app, step, script, start, on_event).await
        };
        done.map_err(|error| error.into_error(step, script, &kept))?;
        on_event(Event::Done { step, elapsed: start.elapsed() });
        kept.push(step.migration.id.clone());
    }
    Ok(())
}

/// A failure inside a script, or one of our own statements.
enum StepError {
    Script(ScriptError),
    Other(Error),
}

/// A script's error, with the number of its statements that succeeded before it.
pub(crate) struct ScriptError {
    pub(crate) error: sqlx::Error,
    pub(crate) completed: usize,
}

impl ScriptError {
    /// The error with file, line and text.
    pub(crate) fn into_error(self, subject: Subject, script: &Script, kept: &[MigrationId]) -> Error {
        let postgres =
            self.error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        match postgres {
            Some(error) => {
                Error::Failed(Box::new(Failure::new(subject, script, self.completed, error, kept)))
            }
            None => broke_off(&subject, script, Error::database("run it")(self.error)),
        }
    }

    fn is_lock_timeout(&self) -> bool {
        self.error
            .as_database_error()
            .and_then(|error| error.code())
            .is_some_and(|code| code == LOCK_NOT_AVAILABLE)
    }
}

fn broke_off(subject: &Subject, script: &Script, error: Error) -> Error {
    Error::BrokeOff { what: subject.to_string(), place: Place::file(&script.path), source: Box::new(error) }
}

impl From<Error> for StepError {
    fn from(error: Error) -> Self {
        StepError::Other(error)
    }
}

impl StepError {
    fn into_error(self, step: &Step<'_>, script: &Script, kept: &[MigrationId]) -> Error {
        let subject = Subject::Migration { id: step.migration.id.clone(), direction: step.direction };
        match self {
            StepError::Script(error) => error.into_error(subject, script, kept),
            // Its text names the migration already.
            StepError::Other(error @ Error::InvalidIndex { .. }) => error,
            StepError::Other(error) => broke_off(&subject, script, error),
        }
    }
}

async fn with_retries(
    conn: &mut PgConnection,
    app: &App,
    step: &Step<'_>,
    script: &Script,
    start: Instant,
    on_event: OnEvent<'_>,
) -> Result<(), StepError> {
    let mut attempt = 1;
    loop {
        match in_transaction(conn, app, step, script, start).await {
            Err(StepError::Script(error)) if error.is_lock_timeout() && attempt < LOCK_TRIES => {
                let pause = stretched(LOCK_PAUSE * 2_u32.pow(attempt - 1));
                attempt += 1;
                on_event(Event::Retrying { step, attempt, pause });
                tokio::time::sleep(pause).await;
            }
            done => return done,
        }
    }
}

/// A pause made longer by up to its own length, at random.
fn stretched(pause: Duration) -> Duration {
    // The seed of a hash map is the only random number in std.
    let random = std::hash::RandomState::new().build_hasher().finish();
    pause + pause.mul_f64(random as f64 / u64::MAX as f64)
}

async fn in_transaction(
    conn: &mut PgConnection,
    app: &App,
    step: &Step<'_>,
    script: &Script,
    start: Instant,
) -> Result<(), StepError> {
    let failed = || Error::database("run a migration");
    let mut transaction = conn.begin().await.map_err(failed())?;
    run_script(&mut transaction, script).await.map_err(StepError::Script)?;
    restore_settings(&mut transaction).await?;
    still_locked(&mut transaction).await?;
    record(&mut transaction, app, step, start).await?;
    // Deferred constraints are checked only here, so the commit counts as the script's last statement.
    transaction
        .commit()
        .await
        .map_err(|error| StepError::Script(ScriptError { error, completed: usize::MAX }))
}

/// Runs one statement on its own. What it did before it failed stays, so the next run first removes that.
async fn outside_transaction(
    conn: &mut PgConnection,
    app: &App,
    step: &Step<'_>,
    script: &Script,
    on_event: OnEvent<'_>,
) -> Result<(), StepError> {
    let start = Instant::now();
    for invalid in index::invalid_of(conn, script).await? {
        index::drop(conn, &invalid).await?;
        on_event(Event::DroppedInvalidIndex { step, index: &invalid.index });
    }
    // It waits for every open transaction, and giving up would only mean to start over, so it may wait without limit.
    let unlimited = sqlx::raw_sql("set lock_timeout = 0").execute(&mut *conn).await;
    unlimited.map_err(Error::database("run a migration"))?;
    // Prepared, unlike the others, so that Postgres refuses a second statement: that would put both into one implicit
    // transaction.
    let statement = sqlx::query(script.sql()).persistent(false).execute(&mut *conn).await;
    statement.map_err(|error| StepError::Script(ScriptError { error, completed: 0 }))?;
    restore_settings(conn).await?;
    still_locked(conn).await?;
    // `if not exists` accepts an invalid index of that name.
    let invalid = index::invalid_of(conn, script).await?;
    if !invalid.is_empty() {
        let indexes =
            invalid.into_iter().map(|InvalidIndex { index, table }| format!("{index} on {table}")).collect();
        return Err(Error::InvalidIndex { migration: step.migration.id.clone(), indexes }.into());
    }
    record(conn, app, step, start).await?;
    Ok(())
}

/// Makes sure that a script did not release the migration lock.
async fn still_locked(conn: &mut PgConnection) -> Result<(), Error> {
    let sql = "select exists (select from pg_locks where pid = pg_backend_pid() and locktype = 'advisory' and objsubid = 1)";
    let locked: bool = sqlx::query_scalar(sql)
        .fetch_one(conn)
        .await
        .map_err(Error::database("look for the migration lock"))?;
    if locked { Ok(()) } else { Err(Error::LockLost) }
}

/// Resets what a script set for its session, so that a role or search path of one migration does not reach the next one.
pub(crate) async fn restore_settings(conn: &mut PgConnection) -> Result<(), Error> {
    let restore = sqlx::raw_sql("reset session authorization; reset all").execute(conn).await;
    restore.map_err(Error::database("restore the session's settings"))?;
    Ok(())
}

/// Writes or removes sqlx's row of the migration.
async fn record(conn: &mut PgConnection, app: &App, step: &Step<'_>, start: Instant) -> Result<(), Error> {
    let failed = Error::database("write the ledger");
    let version = step.migration.number;
    let statement = match step.direction {
        Direction::Up => {
            record_unrun(conn, app, step.migration).await?;
            let nanos = i64::try_from(start.elapsed().as_nanos()).unwrap_or(i64::MAX);
            let sql = format!("update {} set execution_time = $2 where version = $1", app.ledger);
            sqlx::query(AssertSqlSafe(sql)).bind(version).bind(nanos)
        }
        Direction::Down => {
            let sql = format!("delete from {} where version = $1", app.ledger);
            sqlx::query(AssertSqlSafe(sql)).bind(version)
        }
    };
    statement.execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Writes a row by sqlx's own statement, which leaves the execution time empty.
pub(crate) async fn record_unrun(
    conn: &mut PgConnection,
    app: &App,
    migration: &Migration,
) -> Result<(), Error> {
    conn.skip(&app.ledger, &migration.recorded).await.map_err(Error::ledger("write the ledger"))
}

/// Sends a script as one message, and counts the statements that succeed.
pub(crate) async fn run_script(conn: &mut PgConnection, script: &Script) -> Result<(), ScriptError> {
    let mut completed = 0;
    let mut results = sqlx::raw_sql(script.sql()).fetch_many(conn);
    loop {
        match results.try_next().await {
            Ok(Some(result)) => completed += usize::from(result.is_left()),
            Ok(None) => return Ok(()),
            Err(error) => return Err(ScriptError { error, completed }),
        }
    }
}
