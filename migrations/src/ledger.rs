//! The ledger: what sqlx's tables say was applied, and whether that agrees with the files.
//!
//! Reading never writes: sqlx-cli's `info` creates schema and table, and fails for a role that may not.

use std::fmt;

use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::{Error, Migration, MigrationId, Project};

/// A migration that the ledger says was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The app whose ledger table it is.
    pub app: String,
    /// sqlx's version: the migration's number.
    pub version: i64,
    /// What sqlx calls it: its name without the number, with spaces.
    pub description: String,
    /// When, in the session's time zone, as ISO 8601.
    pub installed_on: String,
    /// False where somebody marked it so; neither sqlx nor we ever do on Postgres.
    pub success: bool,
    /// SHA-384 of the file that ran.
    pub checksum: Vec<u8>,
}

impl Applied {
    /// The name of its file, as far as sqlx kept it: `0001_initial`.
    fn name(&self) -> String {
        format!("{:04}_{}", self.version, self.description.replace(' ', "_"))
    }
}

/// What a database says was applied to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Every row, by app and number.
    pub applied: Vec<Applied>,
    /// Apps whose ledger table is not there yet.
    pub absent: Vec<String>,
    /// Tables in the ledger's schema that belong to no app.
    pub unknown: Vec<String>,
}

/// One way in which the ledger contradicts the files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerProblem {
    /// The file is not what was applied.
    Edited(MigrationId, String),
    /// Applied, and its file is gone.
    FileGone(String, Applied),
    /// Not applied, though a later one of the app is.
    Late(MigrationId, MigrationId),
    /// Applied, though one that it depends on is not.
    WithoutParent(MigrationId, MigrationId),
    /// Applied under another name.
    Renamed(MigrationId, String),
    /// Somebody marked the row as failed.
    Dirty(MigrationId),
    /// A table in the ledger's schema that belongs to no app.
    UnknownTable(String),
}

impl LedgerProblem {
    /// What kind it is, in a word or two.
    pub fn kind(&self) -> &'static str {
        match self {
            LedgerProblem::Edited(..) => "edited",
            LedgerProblem::FileGone(..) => "file gone",
            LedgerProblem::Late(..) => "late",
            LedgerProblem::WithoutParent(..) => "impossible",
            LedgerProblem::Renamed(..) => "renamed",
            LedgerProblem::Dirty(_) => "failed",
            LedgerProblem::UnknownTable(_) => "unknown",
        }
    }

    /// What is wrong.
    pub fn what(&self) -> String {
        match self {
            LedgerProblem::Edited(id, path) => format!("{id}: {path} is not the file that was applied"),
            LedgerProblem::FileGone(id, applied) => {
                format!("{id} was applied ({}), and no file has its number", applied.installed_on)
            }
            LedgerProblem::Late(id, after) => format!("{id} is not applied, and {after} is"),
            LedgerProblem::WithoutParent(id, parent) => {
                format!("{id} is applied, and {parent}, which it depends on, is not")
            }
            LedgerProblem::Renamed(id, name) => format!("{id} was applied as {name}"),
            LedgerProblem::Dirty(id) => format!("{id} is marked as failed"),
            LedgerProblem::UnknownTable(table) => {
                format!("table {table} stands among the ledgers, and no app of apps.toml has it")
            }
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            LedgerProblem::Edited(_, path) => {
                format!("put it back (git checkout -- {path}), and write the change as a new migration")
            }
            LedgerProblem::FileGone(..) => {
                "restore the file, or switch to the branch that has it and migrate back there".to_owned()
            }
            LedgerProblem::Late(id, _) => {
                format!("give it the next free number of `{}`, its down file too", id.app)
            }
            LedgerProblem::WithoutParent(id, _) => {
                format!("the ledger was edited by hand, or the head of {id} was; put that right first")
            }
            LedgerProblem::Renamed(_, name) => format!("name its two files {name} again"),
            LedgerProblem::Dirty(_) => {
                "look at the database, then set `success` in its ledger row to what is true".to_owned()
            }
            LedgerProblem::UnknownTable(_) => "restore the app's entry, or drop the table".to_owned(),
        }
    }
}

impl fmt::Display for LedgerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<11} {}\n{:14}{}", self.kind(), self.what(), "", self.remedy())
    }
}

impl Ledger {
    /// Reads the ledger of a database. Writes nothing; tables that are not there are told, not made.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn read(conn: &mut PgConnection, project: &Project) -> Result<Ledger, Error> {
        let failed = Error::database("read the ledger");
        let present: Vec<String> = sqlx::query_scalar(
            "select schemaname || '.' || tablename from pg_tables where schemaname = any($1) order by 1",
        )
        .bind(project.ledger_schemas())
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
        let (mut ledger, mut selects) = (Ledger::default(), Vec::new());
        for app in &project.apps {
            if present.contains(&app.ledger) {
                // Both names are plain identifiers: loading the project has made sure of it.
                selects.push(format!(
                    "select '{}' as app, version, description, to_char(installed_on, 'YYYY-MM-DD\"T\"HH24:MI:SSTZH:TZM') \
                     as installed_on, success, checksum from {}",
                    app.name, app.ledger
                ));
            } else {
                ledger.absent.push(app.name.clone());
            }
        }
        ledger.unknown = present
            .into_iter()
            .filter(|table| !project.apps.iter().any(|app| &app.ledger == table))
            .collect();
        if selects.is_empty() {
            return Ok(ledger);
        }
        let sql = format!("{} order by app, version", selects.join(" union all "));
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(conn)
            .await
            .map_err(Error::database("read the ledger"))?;
        for row in rows {
            let applied = (|| {
                Ok(Applied {
                    app: row.try_get("app")?,
                    version: row.try_get("version")?,
                    description: row.try_get("description")?,
                    installed_on: row.try_get("installed_on")?,
                    success: row.try_get("success")?,
                    checksum: row.try_get("checksum")?,
                })
            })();
            ledger.applied.push(applied.map_err(Error::database("read the ledger"))?);
        }
        Ok(ledger)
    }

    /// The row of a migration, if it was applied.
    pub fn row(&self, migration: &Migration) -> Option<&Applied> {
        self.applied.iter().find(|row| row.app == migration.id.app && row.version == migration.number)
    }

    /// Whether a migration was applied.
    pub fn has(&self, migration: &Migration) -> bool {
        self.row(migration).is_some()
    }

    /// The migrations that were not applied, in the order in which they would run.
    pub fn pending<'p>(&self, project: &'p Project) -> Vec<&'p Migration> {
        project.migrations.iter().filter(|migration| !self.has(migration)).collect()
    }

    /// Every way in which it contradicts the files. Pending migrations are none.
    pub fn problems(&self, project: &Project) -> Vec<LedgerProblem> {
        let mut problems = Vec::new();
        for row in &self.applied {
            let migration = project.migrations_of(&row.app).find(|migration| migration.number == row.version);
            match migration {
                None => {
                    let id = format!("{}/{}", row.app, row.name());
                    problems.push(LedgerProblem::FileGone(id, row.clone()));
                }
                Some(migration) if migration.checksum() != row.checksum => {
                    problems.push(LedgerProblem::Edited(migration.id.clone(), migration.up.path.clone()));
                }
                Some(migration) if migration.recorded.description != row.description => {
                    problems.push(LedgerProblem::Renamed(migration.id.clone(), row.name()));
                }
                Some(migration) if !row.success => problems.push(LedgerProblem::Dirty(migration.id.clone())),
                Some(_) => {}
            }
        }
        for (index, migration) in project.migrations.iter().enumerate() {
            let later = project.migrations[index + 1..].iter();
            let later = later.filter(|other| other.id.app == migration.id.app).find(|other| self.has(other));
            if let (false, Some(later)) = (self.has(migration), later) {
                problems.push(LedgerProblem::Late(migration.id.clone(), later.id.clone()));
            }
            if !self.has(migration) {
                continue;
            }
            for (parent, _) in &migration.parents {
                let parent = &project.migrations[*parent];
                if parent.id.app != migration.id.app && !self.has(parent) {
                    problems.push(LedgerProblem::WithoutParent(migration.id.clone(), parent.id.clone()));
                }
            }
        }
        problems.extend(self.unknown.iter().cloned().map(LedgerProblem::UnknownTable));
        problems
    }

    /// Refuses to go on where it contradicts the files.
    pub(crate) fn agree(&self, project: &Project) -> Result<(), Error> {
        let problems = self.problems(project);
        if problems.is_empty() { Ok(()) } else { Err(Error::Ledger(problems)) }
    }
}
