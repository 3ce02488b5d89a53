//! One connection that reads the ledger, migrates, seeds and checks.

use std::{
    collections::BTreeSet,
    mem,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use crate::{
    Access, Contract, Direction, Error, Event, Ledger, MigrationId, MovedRow, OnEvent, Place, Plan, Project,
    Prune, Renumbering, SeedMode, SeedReport, Settings, Step, Target, apply,
    database::{self, Found},
    lock, record, renumber, seed,
    server_process::{self, Met, ServerProcess},
    sqlstate::{self, Again},
    watch::Watch,
};

/// How soon the server notices that our process is gone, and ends the statement that we left running.
const CLIENT_CHECK: &str = "250ms";

/// How long a server may say that it accepts no connections yet, and how often we ask.
const CONNECT_PATIENCE: Duration = Duration::from_secs(8);
const CONNECT_PAUSE: Duration = Duration::from_millis(50);
/// SQLSTATE of a setting that the role may not set.
const NOT_ALLOWED: &str = "42501";

/// A dedicated connection, never from a pool, so that closing it releases its locks.
///
/// Dropping the future of an operation before it is done leaves the session unusable: later operations fail with
/// [`Error::Abandoned`]. Drop the session too; the server then undoes the unfinished work within a quarter of a second.
#[derive(Debug)]
pub struct Session {
    conn: PgConnection,
    settings: Settings,
    database: String,
    pid: i32,
    watch: Watch,
    /// Whether an operation has the migration lock. It stays true if its future was dropped in the middle.
    busy: bool,
}

impl Session {
    /// Connects to one database.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Pooler`], [`Error::Replica`].
    pub async fn connect(options: &PgConnectOptions, settings: Settings) -> Result<Session, Error> {
        let millis = |duration: Duration| duration.as_millis().to_string();
        let options = database::pinned(options)
            .application_name(&settings.application_name)
            // A script may run `deallocate all` or `discard all`, and sqlx would go on using statements that are gone.
            .statement_cache_capacity(0)
            .options([
                ("lock_timeout", millis(settings.lock_timeout).as_str()),
                ("statement_timeout", millis(settings.statement_timeout).as_str()),
                ("client_connection_check_interval", CLIENT_CHECK),
            ]);
        let options = match settings.access {
            Access::ReadOnly => options.options([("default_transaction_read_only", "on")]),
            // Never `off`, which would lift a freeze.
            Access::Write => options,
        };
        let (conn, process) = connect_pinned(&options, settings.access).await?;
        let ServerProcess { database, pid, .. } = process;
        let watch = Watch::new(options, pid, settings.lock_timeout);
        Ok(Session { conn, settings, database, pid, watch, busy: false })
    }

    /// The connection, for the caller's own queries.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.conn
    }

    /// The marker of this database.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn found(&mut self) -> Result<Found, Error> {
        Ok(match database::read_marker(&mut self.conn, &self.database).await? {
            // It exists: we are connected to it.
            Found::Absent => Found::Unmarked,
            found => found,
        })
    }

    /// The migrations that were applied.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn ledger(&mut self, project: &Project) -> Result<Ledger, Error> {
        Ledger::read(&mut self.conn, project).await
    }

    /// How the tables compare with the list in the manifest.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn contract(&mut self, project: &Project) -> Result<Contract, Error> {
        Contract::read(&mut self.conn, project).await
    }

    /// Makes sure that the server is not older than the manifest allows.
    ///
    /// # Errors
    /// [`Error::ServerTooOld`].
    pub fn require_version(&self, project: &Project) -> Result<(), Error> {
        database::require_version(&self.conn, &project.postgres).map(|_| ())
    }

    /// Makes sure that nothing holds the database read-only for this session.
    ///
    /// # Errors
    /// [`Error::ReadOnly`].
    pub async fn require_writable(&mut self) -> Result<(), Error> {
        database::require_writable(&mut self.conn, &self.database).await
    }

    /// Migrates to the target, under the migration lock, and returns how many migrations ran.
    ///
    /// If nothing is left to do, it takes no lock and writes nothing, not even a ledger. It stops before an up file without a
    /// statement.
    ///
    /// # Errors
    /// Any of [`Error`]. Migrations that were applied before it stay applied.
    pub async fn migrate(
        &mut self,
        project: &Project,
        target: &Target,
        on_event: OnEvent<'_>,
    ) -> Result<usize, Error> {
        // Checked before any query: this connection may never answer again.
        if self.busy {
            return Err(Error::Abandoned);
        }
        self.require_version(project)?;
        let ledger = self.ledger(project).await?;
        if Plan::new(project, &ledger, target)?.steps.is_empty() {
            return Ok(0);
        }
        let watch = self.watch.clone();
        let lock = self.lock(on_event).await?;
        lock.run(async |conn| migrate_locked(conn, project, target, &watch, on_event).await).await
    }

    /// Runs these steps in this order, which the graph must allow, and does work of the caller's own after each, under the
    /// same lock. For a database that is thrown away afterwards.
    ///
    /// # Errors
    /// As [`Session::migrate`], or the error of the work. What ran before stays.
    pub async fn run_steps<E: From<Error>>(
        &mut self,
        project: &Project,
        steps: &[Step<'_>],
        mut after: impl AsyncFnMut(&mut PgConnection, &Step<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let watch = self.watch.clone();
        let lock = self.lock(&mut |_| {}).await?;
        lock.run(async |conn| {
            let ledger = Ledger::read(conn, project).await?;
            record::create_ledgers(conn, project, &ledger).await?;
            for step in steps {
                apply::run(
                    conn,
                    project,
                    &Plan { steps: vec![*step] },
                    &Ledger::default(),
                    &watch,
                    &mut |_| {},
                )
                .await?;
                after(conn, step).await?;
            }
            Ok(())
        })
        .await
    }

    /// Records migrations as applied without running them, under the migration lock and in one transaction.
    ///
    /// `prove` returns the migrations to record. It runs under the lock with the current ledger, and has to make sure that
    /// the database has what they make. If it returns none, nothing is written, not even a ledger.
    ///
    /// # Errors
    /// The error of `prove`, [`Error::Ledger`] if a dependency of a migration would not be recorded, [`Error::Locked`].
    /// Then the call records nothing.
    pub async fn adopt<E: From<Error>>(
        &mut self,
        project: &Project,
        on_event: OnEvent<'_>,
        prove: impl AsyncFnOnce(&mut PgConnection, &Ledger) -> Result<Vec<MigrationId>, E>,
    ) -> Result<(), E> {
        self.require_version(project)?;
        let lock = self.lock(on_event).await?;
        lock.run(async |conn| adopt_locked(conn, project, prove).await).await
    }

    /// Moves the rows of the ledger that `choose` names to the numbers of their files, and applies the migrations that come
    /// before them then: under the migration lock, and in one transaction.
    ///
    /// `before_commit` gets the ledger as it will be. If it fails, or the commit after it, nothing is changed.
    ///
    /// # Errors
    /// The error of `before_commit`, [`Error::Ledger`] if the ledger would still contradict the files, or as
    /// [`Session::migrate`].
    pub async fn renumber<'p, E: From<Error>>(
        &mut self,
        project: &'p Project,
        on_event: OnEvent<'_>,
        choose: impl FnOnce(&Ledger) -> Vec<MovedRow<'p>>,
        before_commit: impl AsyncFnOnce(&mut PgConnection, &Ledger) -> Result<(), E>,
    ) -> Result<Renumbering<'p>, E> {
        self.require_version(project)?;
        let watch = self.watch.clone();
        let lock = self.lock(on_event).await?;
        lock.run(async |conn| {
            renumber::renumber_locked(conn, project, &watch, on_event, choose, before_commit).await
        })
        .await
    }

    /// Runs the seeds of all apps in one transaction, under the migration lock.
    ///
    /// # Errors
    /// [`Error::Failed`] if a seed's statement fails; nothing of any seed is kept then. [`Error::Locked`].
    pub async fn seed(
        &mut self,
        project: &Project,
        mode: SeedMode,
        prune: Prune,
        on_event: OnEvent<'_>,
    ) -> Result<SeedReport, Error> {
        let watch = self.watch.clone();
        let lock = self.lock(on_event).await?;
        lock.run(async |conn| seed::run_with_retries(conn, project, (mode, prune), &watch, on_event).await)
            .await
    }

    /// Waits for the migration lock, for work of the caller's own.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::ReadOnly`], [`Error::Pooler`], or [`Error::Abandoned`] if an earlier operation was cancelled in the middle.
    pub async fn lock(&mut self, on_event: OnEvent<'_>) -> Result<MigrationLock<'_>, Error> {
        if mem::replace(&mut self.busy, true) {
            return Err(Error::Abandoned);
        }
        let locked = self.writable_and_locked(on_event).await;
        self.busy = locked.is_ok();
        locked.map(|()| MigrationLock { session: self })
    }

    async fn writable_and_locked(&mut self, on_event: OnEvent<'_>) -> Result<(), Error> {
        self.require_writable().await?;
        let timeout = self.settings.migration_lock_timeout;
        lock::lock(&mut self.conn, (&self.database, self.pid), timeout, on_event).await
    }

    /// Closes the connection properly. Dropping the session closes it too, less politely.
    pub async fn close(self) {
        // The server frees everything in either case, so an error changes nothing.
        let _ = self.conn.close().await;
    }
}

/// Connects, and tries again for a while if the server says that it accepts no connections yet.
async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    let start = Instant::now();
    loop {
        match options.connect().await {
            Err(error)
                if sqlstate::may_succeed(&error, Again::Connection) && start.elapsed() < CONNECT_PATIENCE =>
            {
                tokio::time::sleep(CONNECT_PAUSE).await;
            }
            done => return done,
        }
    }
}

/// The migration lock of a session. While it exists, the session does nothing else.
///
/// [`MigrationLock::run`] releases it. If that does not happen, because this value or the future of `run` is dropped, the
/// session is unusable ([`Error::Abandoned`]), and dropping it closes its connection and with that releases the lock.
#[derive(Debug)]
#[must_use = "the session is unusable if the lock is dropped without `run`"]
pub struct MigrationLock<'s> {
    session: &'s mut Session,
}

impl MigrationLock<'_> {
    /// Does the work on the session's connection, and releases the lock whether the work succeeds or fails.
    ///
    /// # Errors
    /// The error of the work, or else [`Error::Database`] if Postgres can't release the lock.
    pub async fn run<T, E: From<Error>>(
        self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let Session { conn, database, busy, .. } = self.session;
        let done = work(conn).await;
        *busy = false;
        let unlocked = lock::unlock(conn, database).await;
        let done = done?;
        unlocked?;
        Ok(done)
    }
}

/// Connects, and once more if the server, the database or the role has set what older versions can't pin.
async fn connect_pinned(
    options: &PgConnectOptions,
    access: Access,
) -> Result<(PgConnection, ServerProcess), Error> {
    let Met { conn, process, options } = server_process::meet(options).await?;
    // A session that only reads does not depend on it, and not every role may pin it.
    let matters = |name: &str| access == Access::Write || name != catalogue::REPLICATION_ROLE;
    let pins: Vec<_> = catalogue::PINNED_IF_SET
        .iter()
        .filter(|(name, _)| matters(name) && process.set.iter().any(|set| set == name))
        .copied()
        .collect();
    if pins.is_empty() {
        return Ok((conn, process));
    }
    match connect(&options.options(pins)).await {
        Ok(mut again) => {
            // The server closes it in either case.
            let _ = conn.close().await;
            let process = ServerProcess::meet(&mut again).await?;
            Ok((again, process))
        }
        Err(error) if sqlstate::is(&error, NOT_ALLOWED) => Err(Error::Replica { database: process.database }),
        Err(error) => Err(database::refused(error)),
    }
}

async fn migrate_locked(
    conn: &mut PgConnection,
    project: &Project,
    target: &Target,
    watch: &Watch,
    on_event: OnEvent<'_>,
) -> Result<usize, Error> {
    // Read again: the session that had the lock before us may have done it all.
    let ledger = Ledger::read(conn, project).await?;
    let mut plan = Plan::new(project, &ledger, target)?;
    let is_empty = |step: &Step<'_>| {
        step.direction == Direction::Up && step.script.is_empty() && !step.migration.is_history
    };
    let rest = plan.steps.split_off(plan.steps.iter().position(is_empty).unwrap_or(plan.steps.len()));
    for (migration, after) in plan.late(project, &ledger) {
        on_event(Event::Late { id: &migration.id, after: &after.id });
    }
    apply::run(conn, project, &plan, &ledger, watch, on_event).await?;
    match rest.first() {
        None => Ok(plan.steps.len()),
        Some(step) => Err(Error::NoStatement {
            migration: step.migration.id.clone(),
            place: Place::file(&step.script.path),
        }),
    }
}

async fn adopt_locked<E: From<Error>>(
    conn: &mut PgConnection,
    project: &Project,
    prove: impl AsyncFnOnce(&mut PgConnection, &Ledger) -> Result<Vec<MigrationId>, E>,
) -> Result<(), E> {
    let ledger = Ledger::read(conn, project).await?;
    let adopted: BTreeSet<MigrationId> = prove(conn, &ledger).await?.into_iter().collect();
    if adopted.is_empty() {
        return Ok(());
    }
    let mut transaction = conn.begin().await.map_err(Error::database("write the ledger"))?;
    record::create_ledgers(&mut transaction, project, &ledger).await?;
    for migration in project.migrations.iter().filter(|migration| adopted.contains(&migration.id)) {
        let app = &project.apps[migration.app];
        if ledger.unfinished(migration).is_some() {
            record::remove(&mut transaction, app, migration).await?;
        }
        record::record_unrun(&mut transaction, app, migration).await?;
    }
    // What another ledger says is written down here, whether or not it agrees with the files.
    if ledger.recorded_elsewhere(project).is_empty() {
        Ledger::read(&mut transaction, project).await?.require_agreement(project)?;
    }
    Ok(transaction.commit().await.map_err(Error::database("write the ledger"))?)
}
