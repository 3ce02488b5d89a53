//! Runs a plan: one transaction per migration, with its ledger row inside, retried if another session's lock was in the
//! way.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqlSafeStr};
use tokio::time::sleep;

use crate::{
    App, Error, Event, Ledger, MigrationId, OnEvent, Plan, Project, Remains, Step, Subject,
    effect::{self, Effect, InvalidIndex},
    lone::Lone,
    record, retry,
    running::{self, ScriptError, restore_settings, run_script, settle},
    watch::Watch,
};

/// SQLSTATEs of a statement that can't run inside a transaction, and of a procedure that ends the one it runs in.
const NOT_INSIDE: &[&str] = &["25001", "2D000"];

/// Runs the plan's steps. What was done before a failure stays, and the failure lists it. The ledgers that `ledger` lacks
/// come with the first step, so that a run that fails leaves none: they would belong to a role that may be the wrong one.
pub(crate) async fn run(
    conn: &mut PgConnection,
    project: &Project,
    plan: &Plan<'_>,
    ledger: &Ledger,
    watch: &Watch,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let mut kept: Vec<MigrationId> = Vec::new();
    let mut missing = (!plan.goes_back() && !ledger.absent.is_empty()).then_some((project, ledger));
    for step in &plan.steps {
        on_event(Event::Started { step });
        let start = Instant::now();
        let app = &project.apps[step.migration.app];
        let mut running =
            Running { conn: &mut *conn, app, step, start, missing, watch, on_event: &mut *on_event };
        running.run().await.map_err(|error| error.into_error(step, &kept))?;
        missing = None;
        on_event(Event::Done { step, elapsed: start.elapsed() });
        kept.push(step.migration.id.clone());
    }
    Ok(())
}

/// Runs one step inside the caller's open transaction, with its row of the ledger. The caller has the migration lock, and the
/// ledger is there.
///
/// # Errors
/// As [`crate::Session::migrate`]. The caller then rolls back.
pub async fn run_within(conn: &mut PgConnection, project: &Project, step: &Step<'_>) -> Result<(), Error> {
    let ran = within(conn, &project.apps[step.migration.app], step, Instant::now()).await;
    ran.map_err(|error| error.into_error(step, &[]))
}

/// Runs the script of a step inside an open transaction, with its row of the ledger.
async fn within(
    conn: &mut PgConnection,
    app: &App,
    step: &Step<'_>,
    start: Instant,
) -> Result<(), StepError> {
    let ran = run_script(conn, step.script).await;
    ran.map_err(|error| StepError::Script(error, Remains::Nothing))?;
    Ok(settle(conn, Some(&record::statement(app, step, start.elapsed()))).await?)
}

/// A failure inside a script, or one of our own statements, with what is left of the script.
enum StepError {
    Script(ScriptError, Remains),
    Other(Error, Remains),
}

impl From<Error> for StepError {
    fn from(error: Error) -> Self {
        StepError::Other(error, Remains::Nothing)
    }
}

impl StepError {
    fn into_error(self, step: &Step<'_>, kept: &[MigrationId]) -> Error {
        let subject = subject(step);
        match self {
            StepError::Script(error, remains) => error.into_error(subject, step.script, remains, kept),
            // Their texts name the migration already.
            StepError::Other(error @ (Error::InvalidIndex { .. } | Error::InvalidIndexStays { .. }), _) => {
                error
            }
            StepError::Other(error, remains) => running::broke_off(&subject, step.script, remains, error),
        }
    }

    fn code(&self) -> Option<&str> {
        match self {
            StepError::Script(error, _) => error.code(),
            StepError::Other(..) => None,
        }
    }
}

fn subject(step: &Step<'_>) -> Subject {
    Subject::Migration { id: step.migration.id.clone(), direction: step.direction }
}

/// How a script runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    InTransaction,
    Outside,
}

/// One step that runs.
struct Running<'r> {
    conn: &'r mut PgConnection,
    app: &'r App,
    step: &'r Step<'r>,
    start: Instant,
    /// The ledgers to create.
    missing: Option<(&'r Project, &'r Ledger)>,
    watch: &'r Watch,
    on_event: OnEvent<'r>,
}

impl Running<'_> {
    async fn run(&mut self) -> Result<(), StepError> {
        if !self.step.script.no_transaction {
            return self.with_retries(How::InTransaction, &Lone::Other).await;
        }
        let lone = Lone::read(&self.step.script.text);
        if let Some((project, ledger)) = self.missing.take() {
            let mut transaction = self.conn.begin().await.map_err(Error::database("create the ledger"))?;
            record::create_ledgers(&mut transaction, project, ledger).await?;
            transaction.commit().await.map_err(Error::database("create the ledger"))?;
        }
        if self.is_done(&lone).await? {
            return Ok(self.record_found().await?);
        }
        if matches!(lone, Lone::Other | Lone::AddValue { .. }) {
            // By itself, a statement has the same effect inside a transaction, where its row is kept or lost with it.
            // Postgres refuses those that can't run there, before or without any effect.
            match self.with_retries(How::InTransaction, &lone).await {
                Err(error) if error.code().is_some_and(|code| NOT_INSIDE.contains(&code)) => {}
                done => return done,
            }
        }
        self.with_retries(How::Outside, &lone).await
    }

    async fn with_retries(&mut self, how: How, lone: &Lone) -> Result<(), StepError> {
        let mut attempt = 1;
        loop {
            let watch = self.watch;
            let (done, blockers) = match how {
                How::InTransaction => watch.during(self.in_transaction()).await,
                How::Outside => watch.during(self.outside_transaction(lone)).await,
            };
            let Err(StepError::Script(mut error, remains)) = done else { return done };
            error.blockers = blockers;
            let Some(code) = error.code_to_retry() else { return Err(StepError::Script(error, remains)) };
            let Some(pause) = retry::pause_after(attempt) else {
                return Err(StepError::Script(error, remains));
            };
            attempt += 1;
            let (subject, blockers) = (subject(self.step), &error.blockers);
            (self.on_event)(Event::Retrying { subject: &subject, code, blockers, attempt, pause });
            sleep(pause).await;
        }
    }

    async fn in_transaction(&mut self) -> Result<(), StepError> {
        let mut transaction = self.conn.begin().await.map_err(Error::database("run a migration"))?;
        if let Some((project, ledger)) = self.missing {
            record::create_ledgers(&mut transaction, project, ledger).await?;
        }
        within(&mut transaction, self.app, self.step, self.start).await?;
        // Deferred constraints are checked only here, so the commit counts as the script's last statement.
        transaction.commit().await.map_err(|error| {
            let error = ScriptError::new(error, usize::MAX);
            let remains = if error.is_final() { Remains::Nothing } else { Remains::AllOrNothing };
            StepError::Script(error, remains)
        })
    }

    /// Whether an earlier run has done all that the statement does, but did not come to record it.
    async fn is_done(&mut self, lone: &Lone) -> Result<bool, Error> {
        match effect::look(self.conn, lone).await? {
            Effect::Whole => Ok(true),
            Effect::Gone => record::has_begun(self.conn, self.app, self.step).await,
            _ => Ok(false),
        }
    }

    async fn record_found(&mut self) -> Result<(), Error> {
        let (app, step) = (self.app, self.step);
        if record::has_begun(self.conn, app, step).await? {
            record::finish(self.conn, app, step, Duration::ZERO).await?;
        } else {
            record::record(self.conn, app, step, Duration::ZERO).await?;
        }
        (self.on_event)(Event::FoundDone { step });
        Ok(())
    }

    /// Runs one statement on its own. The ledger says so before it starts, so that the next run knows if this one breaks off.
    async fn outside_transaction(&mut self, lone: &Lone) -> Result<(), StepError> {
        let (app, step) = (self.app, self.step);
        if lone.waits_for_others() {
            let unlimited = sqlx::raw_sql("set lock_timeout = 0").execute(&mut *self.conn).await;
            unlimited.map_err(Error::database("run a migration"))?;
        }
        let finish = self.clear(lone).await?;
        if !record::has_begun(self.conn, app, step).await? {
            record::begin(self.conn, app, step).await?;
        }
        let start = Instant::now();
        // Prepared, so that Postgres too refuses a second statement, which would put both into one implicit transaction.
        let sql = finish.map_or_else(|| step.script.sql(), |finish| AssertSqlSafe(finish).into_sql_str());
        let ran = if step.migration.is_history {
            // As sqlx does it, since databases have got it in this way.
            sqlx::raw_sql(sql).execute(&mut *self.conn).await
        } else {
            sqlx::query(sql).persistent(false).execute(&mut *self.conn).await
        };
        if let Err(error) = ran {
            return Err(self.failed(lone, ScriptError::new(error, 0)).await);
        }
        let unknown =
            |error| StepError::Other(error, Remains::Unknown { leaves_a_trace: lone.leaves_a_trace() });
        match settle(self.conn, None).await {
            Err(lost @ Error::LockLost) => {
                record::cancel(self.conn, app, step).await.map_err(unknown)?;
                return Err(StepError::Other(lost, Remains::Part));
            }
            settled => settled.map_err(unknown)?,
        }
        // `if not exists` accepts an invalid index of that name.
        if let Effect::InvalidIndex(invalid) = effect::look(self.conn, lone).await.map_err(unknown)? {
            record::cancel(self.conn, app, step).await.map_err(unknown)?;
            let (migration, index) = (step.migration.id.clone(), invalid);
            let index = format!("{} on {}", index.index, index.table);
            return Err(Error::InvalidIndex { migration, index }.into());
        }
        record::finish(self.conn, app, step, start.elapsed()).await.map_err(unknown)
    }

    /// Removes what a run that failed left of the statement's work. Returns the statement that completes the work instead,
    /// if there is one.
    async fn clear(&mut self, lone: &Lone) -> Result<Option<String>, Error> {
        match effect::look(self.conn, lone).await? {
            Effect::InvalidIndex(invalid) => {
                invalid.drop(self.conn).await.map_err(|source| Error::InvalidIndexStays {
                    migration: self.step.migration.id.clone(),
                    index: format!("{} on {}", invalid.index, invalid.table),
                    source: Box::new(Error::database("drop it")(source)),
                })?;
                (self.on_event)(Event::DroppedInvalidIndex { step: self.step, index: &invalid.index });
                Ok(None)
            }
            Effect::HalfDetached { finish } => Ok(Some(finish)),
            _ => Ok(None),
        }
    }

    /// The error of a statement outside of a transaction. If Postgres refused the statement and the session goes on, it no
    /// longer counts as begun.
    async fn failed(&mut self, lone: &Lone, error: ScriptError) -> StepError {
        let mut remains = Remains::Unknown { leaves_a_trace: lone.leaves_a_trace() };
        if error.is_final() && self.settle().await.is_ok() {
            remains = match effect::look(self.conn, lone).await {
                Ok(Effect::InvalidIndex(InvalidIndex { index, table })) => {
                    Remains::InvalidIndex { index, table }
                }
                _ => Remains::Part,
            };
        }
        StepError::Script(error, remains)
    }

    async fn settle(&mut self) -> Result<(), Error> {
        restore_settings(self.conn).await?;
        record::cancel(self.conn, self.app, self.step).await
    }
}
