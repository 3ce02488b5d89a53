//! Runs the text of a script on a connection, and keeps it from changing more than the database.

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, PgConnection, Row,
    postgres::{PgDatabaseError, PgSeverity},
};

use crate::{
    Blocker, Error, Failure, MigrationId, Place, Remains, Script, Subject,
    sqlstate::{self, Again},
    statements,
};

/// SQLSTATE of `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// A script's error, with the number of its statements that succeeded before it.
pub(crate) struct ScriptError {
    error: sqlx::Error,
    completed: usize,
    /// Who held the lock that it waited for, as far as that was seen.
    pub(crate) blockers: Vec<Blocker>,
}

impl ScriptError {
    pub(crate) fn new(error: sqlx::Error, completed: usize) -> ScriptError {
        ScriptError { error, completed, blockers: Vec::new() }
    }

    /// The error with file, line and text.
    pub(crate) fn into_error(
        self,
        subject: Subject,
        script: &Script,
        remains: Remains,
        kept: &[MigrationId],
    ) -> Error {
        match self.postgres() {
            Some(error) => {
                let failure = Failure::new(subject, script, self.completed, error, remains, kept);
                let blockers =
                    if error.code() == LOCK_NOT_AVAILABLE { self.blockers.clone() } else { Vec::new() };
                Error::Failed(Box::new(Failure { blockers, ..failure }))
            }
            None => {
                let statement = statements::split(&script.text).nth(self.completed).map(|range| range.start);
                let line = statement.map(|start| statements::line_at(&script.text, start));
                let place = Place { line, ..Place::file(&script.path) };
                let (what, source) = (subject.to_string(), Box::new(Error::database("run it")(self.error)));
                Error::BrokeOff { what, place, remains, source }
            }
        }
    }

    /// What Postgres says, unless the connection itself failed.
    fn postgres(&self) -> Option<&PgDatabaseError> {
        self.error.as_database_error()?.try_downcast_ref()
    }

    /// Its SQLSTATE, if Postgres gave one.
    pub(crate) fn code(&self) -> Option<&str> {
        self.postgres().map(PgDatabaseError::code)
    }

    /// The same, if the script may succeed when it runs again.
    pub(crate) fn code_to_retry(&self) -> Option<&str> {
        self.code().filter(|_| sqlstate::may_succeed(&self.error, Again::Transaction))
    }

    /// Whether the session goes on after it, so that Postgres has undone what the script's transaction did.
    pub(crate) fn is_final(&self) -> bool {
        self.postgres().is_some_and(|error| error.severity() == PgSeverity::Error)
    }
}

pub(crate) fn broke_off(subject: &Subject, script: &Script, remains: Remains, error: Error) -> Error {
    let (what, place) = (subject.to_string(), Place::file(&script.path));
    Error::BrokeOff { what, place, remains, source: Box::new(error) }
}

/// Sends a script as one message, and counts the statements that succeed.
pub(crate) async fn run_script(conn: &mut PgConnection, script: &Script) -> Result<(), ScriptError> {
    let mut completed = 0;
    let mut results = sqlx::raw_sql(script.sql()).fetch_many(conn);
    loop {
        match results.try_next().await {
            Ok(Some(result)) => completed += usize::from(result.is_left()),
            Ok(None) => return Ok(()),
            Err(error) => return Err(ScriptError::new(error, completed)),
        }
    }
}

/// Resets what a script set for its session, so that a role or search path of one migration does not reach the next one.
const RESTORE: &str = "reset session authorization; reset all";

/// Whether this session has an advisory lock. The migration lock is the only one that it takes itself.
const HAS_LOCK: &str = "select exists (select from pg_locks where pid = pg_backend_pid() and locktype = 'advisory' and objsubid = 1)";

/// Resets what a script set for its session.
pub(crate) async fn restore_settings(conn: &mut PgConnection) -> Result<(), Error> {
    let restore = sqlx::raw_sql(RESTORE).execute(conn).await;
    restore.map_err(Error::database("restore the session's settings"))?;
    Ok(())
}

/// The same, and makes sure that the script did not release the migration lock. Then it runs the statement that records the
/// script, if there is one.
///
/// It is one round trip, because every migration waits for it. A statement with other characters than ASCII is sent
/// apart: the server reads a whole message in the encoding that the script may have set.
pub(crate) async fn settle(conn: &mut PgConnection, record: Option<&str>) -> Result<(), Error> {
    let (together, apart) = match record {
        Some(record) if !record.is_ascii() => (None, Some(record)),
        record => (record, None),
    };
    let doing = if together.is_some() { "write the ledger" } else { "look for the migration lock" };
    let sql = [RESTORE, HAS_LOCK].into_iter().chain(together).collect::<Vec<_>>().join("; ");
    let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(&mut *conn);
    let locked = rows.try_next().await.and_then(|row| row.map_or(Ok(false), |row| row.try_get(0)));
    if !locked.map_err(Error::database(doing))? {
        return Err(Error::LockLost);
    }
    while rows.try_next().await.map_err(Error::database(doing))?.is_some() {}
    drop(rows);
    if let Some(record) = apart {
        let recorded = sqlx::raw_sql(AssertSqlSafe(record.to_owned())).execute(conn).await;
        recorded.map_err(Error::database("write the ledger"))?;
    }
    Ok(())
}
