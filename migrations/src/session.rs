//! One connection that reads the ledger, migrates, seeds and checks.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection, migrate::Migrate, postgres::PgConnectOptions};

use crate::{
    Contract, Error, Ledger, MigrationId, OnEvent, Plan, Project, Prune, SeedMode, SeedReport, Target, apply,
    database::{self, Found},
    lock, seed,
};

/// How soon the server notices that we are gone, and ends what we left running.
const CLIENT_CHECK: &str = "250ms";

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and write.
    Write,
    /// Read: Postgres itself refuses everything else.
    ReadOnly,
}

/// How a session behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What it may do.
    pub access: Access,
    /// What it calls itself in `pg_stat_activity`.
    pub application_name: String,
    /// How long it waits for the migration lock.
    pub migration_lock_timeout: Duration,
    /// How long a statement waits for a table's lock, before its migration is undone and tried again.
    pub lock_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            access: Access::Write,
            application_name: "migrations".to_owned(),
            migration_lock_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(15 * 60),
        }
    }
}

/// One connection of its own, never out of a pool: when it goes, so does every lock that it holds.
///
/// Dropping a future of it in the middle leaves it unusable, as the next call says; drop the session too. The server then
/// undoes what was under way within a quarter of a second.
#[derive(Debug)]
pub struct Session {
    conn: PgConnection,
    settings: Settings,
    database: String,
    /// Whether an operation is under way; it stays so where one was dropped in the middle.
    busy: bool,
}

impl Session {
    /// Connects to one database.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn connect(options: &PgConnectOptions, settings: Settings) -> Result<Session, Error> {
        let millis = |duration: Duration| duration.as_millis().to_string();
        let read_only = if settings.access == Access::ReadOnly { "on" } else { "off" };
        let mut conn = options
            .clone()
            .application_name(&settings.application_name)
            // A script may `deallocate all` or `discard all`, and sqlx would go on to use what is no longer there.
            .statement_cache_capacity(0)
            .options([
                ("lock_timeout", millis(settings.lock_timeout).as_str()),
                ("statement_timeout", millis(settings.statement_timeout).as_str()),
                ("client_connection_check_interval", CLIENT_CHECK),
                ("default_transaction_read_only", read_only),
                // Whatever the role prefers, a migration must mean the same for everyone.
                ("search_path", "public"),
            ])
            .connect()
            .await
            .map_err(Error::database("connect"))?;
        // Of the server, not of the options: those may name it by an alias, and the lock goes by the real name.
        let database = sqlx::query_scalar("select current_database()::text")
            .fetch_one(&mut conn)
            .await
            .map_err(Error::database("ask for the database's name"))?;
        Ok(Session { conn, settings, database, busy: false })
    }

    /// The connection itself, for questions of the caller's own.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.conn
    }

    /// What the marker of this database says.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn found(&mut self) -> Result<Found, Error> {
        Ok(match database::find(&mut self.conn, &self.database).await? {
            // We are connected to it.
            Found::Absent => Found::Unmarked,
            found => found,
        })
    }

    /// What was applied.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn ledger(&mut self, project: &Project) -> Result<Ledger, Error> {
        Ledger::read(&mut self.conn, project).await
    }

    /// How the tables compare with those that the manifest lists.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn contract(&mut self, project: &Project) -> Result<Contract, Error> {
        Contract::read(&mut self.conn, project).await
    }

    /// Refuses a server that is older than the manifest allows.
    ///
    /// # Errors
    /// [`Error::ServerTooOld`].
    pub fn require_version(&self, project: &Project) -> Result<(), Error> {
        database::require_version(&self.conn, project).map(|_| ())
    }

    /// Migrates to the target, under the migration lock, and returns how many migrations ran.
    ///
    /// Where nothing is left to do it takes no lock and writes nothing, not even a ledger.
    ///
    /// # Errors
    /// Any of [`Error`]. What was done before it stays.
    pub async fn migrate(
        &mut self,
        project: &Project,
        target: &Target,
        on_event: OnEvent<'_>,
    ) -> Result<usize, Error> {
        // Before anything is asked on a connection that may never answer again.
        if self.busy {
            return Err(Error::Abandoned);
        }
        self.require_version(project)?;
        let ledger = self.ledger(project).await?;
        if Plan::new(project, &ledger, target)?.steps.is_empty() {
            return Ok(0);
        }
        self.lock(on_event).await?;
        let done = self.migrate_locked(project, target, on_event).await;
        self.unlock_after(done).await
    }

    /// Records migrations as applied without running them, under the migration lock and in one transaction.
    ///
    /// Which they are says `proven`, asked with the ledger as it is once the lock is held. That they are there is for it to
    /// make sure of; for none, nothing is written, not even a ledger.
    ///
    /// # Errors
    /// What `proven` says, [`Error::Ledger`] where something that they need would not be recorded, [`Error::Locked`].
    /// Nothing is recorded then.
    pub async fn adopt<E: From<Error>>(
        &mut self,
        project: &Project,
        on_event: OnEvent<'_>,
        proven: impl AsyncFnOnce(&mut PgConnection, &Ledger) -> Result<Vec<MigrationId>, E>,
    ) -> Result<(), E> {
        self.require_version(project)?;
        self.lock(on_event).await?;
        let done = self.adopt_locked(project, proven).await;
        self.unlock_after(done).await
    }

    async fn adopt_locked<E: From<Error>>(
        &mut self,
        project: &Project,
        proven: impl AsyncFnOnce(&mut PgConnection, &Ledger) -> Result<Vec<MigrationId>, E>,
    ) -> Result<(), E> {
        let ledger = self.ledger(project).await?;
        let adopted = proven(&mut self.conn, &ledger).await?;
        if adopted.is_empty() {
            return Ok(());
        }
        let mut transaction = self.conn.begin().await.map_err(Error::database("write the ledger"))?;
        create_ledgers(&mut transaction, project, &ledger).await?;
        for migration in project.migrations.iter().filter(|migration| adopted.contains(&migration.id)) {
            apply::record_unrun(&mut transaction, &project.apps[migration.app], migration).await?;
        }
        Ledger::read(&mut transaction, project).await?.agree(project)?;
        Ok(transaction.commit().await.map_err(Error::database("write the ledger"))?)
    }

    async fn migrate_locked(
        &mut self,
        project: &Project,
        target: &Target,
        on_event: OnEvent<'_>,
    ) -> Result<usize, Error> {
        // Read again: whoever held the lock before us may have done it all.
        let ledger = self.ledger(project).await?;
        let plan = Plan::new(project, &ledger, target)?;
        if !plan.goes_back() {
            create_ledgers(&mut self.conn, project, &ledger).await?;
        }
        apply::run(&mut self.conn, project, &plan, on_event).await?;
        Ok(plan.steps.len())
    }

    /// Runs the seeds of all apps in one transaction, under the migration lock.
    ///
    /// # Errors
    /// [`Error::Failed`] where a seed's statement fails; nothing of any seed is kept then. [`Error::Locked`].
    pub async fn seed(
        &mut self,
        project: &Project,
        mode: SeedMode,
        prune: Prune,
        on_event: OnEvent<'_>,
    ) -> Result<SeedReport, Error> {
        self.lock(on_event).await?;
        let done = seed::run_seeds(&mut self.conn, project, mode, prune).await;
        self.unlock_after(done).await
    }

    /// Takes the migration lock, for work of the caller's own on [`Session::connection`]; [`Session::unlock_after`] ends it.
    ///
    /// # Errors
    /// [`Error::Locked`], or [`Error::Abandoned`] where an earlier operation was given up in the middle: what that left
    /// is anybody's guess.
    pub async fn lock(&mut self, on_event: OnEvent<'_>) -> Result<(), Error> {
        if std::mem::replace(&mut self.busy, true) {
            return Err(Error::Abandoned);
        }
        let locked =
            lock::lock(&mut self.conn, &self.database, self.settings.migration_lock_timeout, on_event).await;
        self.busy = locked.is_ok();
        locked
    }

    /// Gives the lock back, and hands on what came of the work.
    ///
    /// # Errors
    /// That of the work, or else [`Error::Database`].
    pub async fn unlock_after<T, E: From<Error>>(&mut self, done: Result<T, E>) -> Result<T, E> {
        self.busy = false;
        let unlocked = lock::unlock(&mut self.conn, &self.database).await;
        let done = done?;
        unlocked?;
        Ok(done)
    }

    /// Says goodbye to the server. Dropping the session does as well, less politely.
    pub async fn close(self) {
        // The server frees everything in either case, so there is nothing to do about an error.
        let _ = self.conn.close().await;
    }
}

/// Makes the ledger tables that are missing, by sqlx's own statements. Only those: Postgres checks the right to create
/// before it looks whether the thing is there.
async fn create_ledgers(conn: &mut PgConnection, project: &Project, ledger: &Ledger) -> Result<(), Error> {
    let failed = || Error::ledger("create the ledger");
    for app in project.apps.iter().filter(|app| ledger.absent.contains(&app.name)) {
        if let Some((schema, _)) = app.ledger.split_once('.') {
            conn.create_schema_if_not_exists(schema).await.map_err(failed())?;
        }
        conn.ensure_migrations_table(&app.ledger).await.map_err(failed())?;
    }
    Ok(())
}
