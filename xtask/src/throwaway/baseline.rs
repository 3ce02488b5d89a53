//! What the applied migrations and the seeds make: built once on a throwaway server, and kept in the user's cache.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context;
use catalogue::{Catalogue, Kind, Reading};
use cluster::folder::{self, Access, write_private};
use etcetera::BaseStrategy as _;
use migrations::{Error, Ledger, Project, Prune, Report, SeedMode, Session, Settings, Step};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, postgres::PgConnectOptions};
use tests::scratch::Scratch;
use xtask_protocol::SETTINGS;

use crate::{
    checkout::Checkout,
    database::{
        reference::{self, Change, Reference, Seeding},
        sql::{literal, qualified, quoted},
    },
    terminal::{exit::Stop, output::Steps},
    throwaway::test_server::{TestServer, on_scratch},
};

/// The version of the file's format.
const FORMAT: u32 = 2;
/// Two time zones in which it is never the same day.
const ZONES: [&str; 2] = ["Pacific/Kiritimati", "Etc/GMT+12"];

/// What a database should hold.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Baseline {
    major: u32,
    sheets: Vec<String>,
    /// The seeded rows; `None` while migrations are pending, as the seeds may need them.
    pub(crate) reference: Option<Reference>,
}

/// Which baseline is meant, and where it may be built.
pub(crate) struct Wanted<'w> {
    pub(crate) checkout: &'w Checkout,
    pub(crate) project: &'w Project,
    pub(crate) ledger: &'w Ledger,
    /// The major version of the server that is checked.
    pub(crate) major: u32,
    /// The roles of that server, which migrations may grant to.
    pub(crate) roles: &'w [String],
    /// That server, if the user allows a throwaway database there.
    pub(crate) here: Option<&'w PgConnectOptions>,
}

impl Baseline {
    /// The schema.
    pub(crate) fn catalogue(&self, project: &Project) -> anyhow::Result<Catalogue> {
        let reading = Reading::new(self.major, self.sheets.clone());
        Ok(Catalogue::read(&reading, &project.left_out())?)
    }
}

impl Wanted<'_> {
    /// Takes the baseline from the cache, or builds it and keeps it there.
    pub(crate) async fn get(&self, steps: &mut Steps) -> anyhow::Result<Baseline> {
        let file = self.file();
        let kept = file.as_ref().and_then(|file| serde_json::from_str(&folder::read_private(file)?).ok());
        if let Some(baseline) = kept {
            // Shows that the entry is in use.
            let _ = file.and_then(|file| fs::File::open(file).ok()?.set_modified(SystemTime::now()).ok());
            return Ok(baseline);
        }
        steps.doing("check", "building on a throwaway server what the migrations make");
        let baseline = self.on_throwaway(async |options| self.build(options).await).await?;
        if let Some(file) = file {
            // A full disk costs the next command a second, which is not worth an error.
            let _ = store(&file, &baseline);
        }
        Ok(baseline)
    }

    /// Finds out which changes of seeded rows the seeds would repair: makes the same changes on a throwaway database.
    pub(crate) async fn repaired(
        &self,
        reference: &Reference,
        changes: &[Change],
        steps: &mut Steps,
    ) -> anyhow::Result<Vec<bool>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        steps.doing("check", "trying on a throwaway server which rows the seeds would repair");
        self.on_throwaway(async |options| {
            on_scratch(options, async |scratch| {
                let mut session = self.migrated(scratch).await?;
                let seed = async |session: &mut Session| {
                    session.seed(self.project, SeedMode::Write, Prune::No, &mut |_| {}).await
                };
                seed(&mut session).await?;
                let mut repeated = Vec::new();
                for change in changes {
                    let Some(sql) = reference.repeat(change) else {
                        repeated.push(false);
                        continue;
                    };
                    repeated
                        .push(sqlx::raw_sql(AssertSqlSafe(sql)).execute(session.connection()).await.is_ok());
                }
                seed(&mut session).await?;
                let found = reference::read(session.connection(), reference).await?;
                session.close().await;
                let left = reference.changes(&found.rows);
                // What could not be tried counts as something that the seeds would repair.
                Ok(changes
                    .iter()
                    .zip(repeated)
                    .map(|(change, tried)| !(tried && left.contains(change)))
                    .collect())
            })
            .await
        })
        .await
    }

    async fn on_throwaway<T>(
        &self,
        work: impl AsyncFnOnce(&PgConnectOptions) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        if let Some(here) = self.here {
            return work(here).await;
        }
        let with_roles = async |server: &TestServer| {
            self.create_roles(server.options()).await?;
            work(server.options()).await
        };
        TestServer::with_own(self.checkout, &self.project.postgres, self.major, with_roles).await
    }

    /// Migrations may grant to roles that someone else makes.
    async fn create_roles(&self, options: &PgConnectOptions) -> anyhow::Result<()> {
        let failed = || Error::database("create the roles of the checked server");
        let mut conn: PgConnection = sqlx::ConnectOptions::connect(options).await.map_err(failed())?;
        for role in self.roles {
            let sql = format!("create role {}", quoted(role));
            // It may be there already.
            let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await;
        }
        sqlx::Connection::close(conn).await.map_err(failed())?;
        Ok(())
    }

    async fn build(&self, options: &PgConnectOptions) -> anyhow::Result<Baseline> {
        on_scratch(options, async |one| {
            let mut session = self.migrated(one).await?;
            let reading = migrations::schema::reading(session.connection()).await?;
            session.close().await;
            let (major, sheets) = (reading.major(), reading.sheets().map(str::to_owned).collect());
            if !self.ledger.pending(self.project).is_empty() || self.project.seeds.is_empty() {
                return Ok(Baseline { major, sheets, reference: None });
            }
            let catalogue = Catalogue::read(&reading, &self.project.left_out())?;
            let reference = on_scratch(options, async |other| {
                self.migrated(other).await?.close().await;
                self.seed_both(&catalogue, one, other).await
            });
            Ok(Baseline { major, sheets, reference: Some(reference.await?) })
        })
        .await
    }

    /// Connects to an empty database and applies the migrations that the checked database has.
    async fn migrated(&self, scratch: &Scratch) -> anyhow::Result<Session> {
        let mut session = Session::connect(&scratch.options(), Settings::default()).await?;
        let applied: Vec<Step<'_>> = self.ledger.applied_in(self.project).into_iter().map(Step::up).collect();
        let done = session.run_steps(self.project, &applied, async |_, _| Ok::<(), Error>(())).await;
        done.context("on a throwaway database")?;
        Ok(session)
    }

    /// Seeds two databases on different days and with different numbers, and compares their rows.
    async fn seed_both(
        &self,
        catalogue: &Catalogue,
        one: &Scratch,
        other: &Scratch,
    ) -> anyhow::Result<Reference> {
        let mut sessions = Vec::new();
        for (scratch, zone) in [one, other].into_iter().zip(ZONES) {
            let failed = || Error::database("seed a throwaway database");
            let mut conn: PgConnection =
                sqlx::ConnectOptions::connect(&scratch.options()).await.map_err(failed())?;
            if zone == ZONES[1] {
                let sequences =
                    catalogue.of_kind(Kind::Sequence).map(|object| literal(&qualified(&object.address)));
                let sql: String = sequences
                    .map(|name| format!("select nextval({name}) from generate_series(1, 7);"))
                    .collect();
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.map_err(failed())?;
            }
            let since: String =
                sqlx::query_scalar("select pg_snapshot_xmax(pg_current_snapshot())::xid::text")
                    .fetch_one(&mut conn)
                    .await
                    .map_err(failed())?;
            sqlx::Connection::close(conn).await.map_err(failed())?;
            let mut session = Session::connect(&scratch.options(), Settings::default()).await?;
            session.seed(&self.seeding_in(zone), SeedMode::Write, Prune::No, &mut |_| {}).await?;
            reference::prepare(session.connection()).await?;
            sessions.push((session, since));
        }
        let [(first, first_since), (second, second_since)] = sessions.as_mut_slice() else {
            return Ok(Reference::default());
        };
        let first = Seeding { conn: first.connection(), since: first_since.clone() };
        let second = Seeding { conn: second.connection(), since: second_since.clone() };
        let reference = reference::plan(self.project, catalogue, first, second).await?;
        for (session, _) in sessions {
            session.close().await;
        }
        Ok(reference)
    }

    /// The project with seeds that run in a time zone. The connection's own can't be another one: sqlx asks for UTC.
    fn seeding_in(&self, zone: &str) -> Project {
        let mut project = self.project.clone();
        for seed in &mut project.seeds {
            seed.script.text.insert_str(0, &format!("set timezone = '{zone}'; "));
        }
        project
    }

    /// The file in the cache. `None` if this user has no home.
    fn file(&self) -> Option<PathBuf> {
        let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("xtask/schemas");
        let mut key = Sha256::new();
        let mut add = |text: &[u8]| {
            key.update(text.len().to_le_bytes());
            key.update(text);
        };
        add(&FORMAT.to_le_bytes());
        SETTINGS.iter().for_each(|setting| add(setting.as_bytes()));
        add(catalogue::script(self.major).as_bytes());
        for migration in self.ledger.applied_in(self.project) {
            add(migration.id.to_string().as_bytes());
            add(migration.checksum());
        }
        if self.ledger.pending(self.project).is_empty() {
            for seed in &self.project.seeds {
                add(seed.app.as_bytes());
                add(seed.script.text.as_bytes());
            }
        }
        for app in &self.project.apps {
            add(app.ledger.as_bytes());
            app.tables.iter().for_each(|table| add(table.as_bytes()));
        }
        Some(folder.join(format!("{}-{}.json", self.major, hex::encode(&key.finalize()[..16]))))
    }
}

fn store(file: &Path, baseline: &Baseline) -> anyhow::Result<()> {
    let folder = file.parent().context("the cache has a folder")?;
    folder::ensure(folder, Access::Private)?;
    // The holder of the lock is writing an entry, most likely this one.
    let Some(_lock) = folder::lock_if_free(&folder.join(folder::LOCK))? else { return Ok(()) };
    write_private(file, &serde_json::to_string(baseline)?)?;
    folder::remove_unused(folder);
    Ok(())
}

/// Why something could not be built, on one line. An interruption is no reason: it ends the command.
pub(super) fn reason(error: anyhow::Error) -> anyhow::Result<String> {
    if matches!(error.downcast_ref(), Some(Stop::Interrupted)) {
        return Err(error);
    }
    let text = format!("{:#}", Report::new(error.as_ref()));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    Ok(lines.join("; "))
}
