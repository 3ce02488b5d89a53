//! The ledger: which migrations sqlx's tables list as applied, and whether that agrees with the files.
//!
//! Reading never writes. sqlx-cli's `info` creates schema and table, so it fails for a role that may not do that.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::{
    Direction, Error, Migration, OtherLedger, Project,
    other_ledger::{self, INSTALLED_ON, OwnRow},
    sqlstate,
};

/// SQLSTATE of a right that a role lacks.
const NO_RIGHT: &str = "42501";

/// A row of the ledger: a migration that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The app whose ledger table has the row.
    pub app: String,
    /// sqlx's version: the migration's number.
    pub version: i64,
    /// sqlx's description: the migration's name without the number, with spaces.
    pub description: String,
    /// When it was applied, in the session's time zone, as ISO 8601.
    pub installed_on: String,
    /// Which way a run went that has not finished; `None` for one that has, which is the usual case. Only a migration without
    /// a transaction can break off like that.
    pub unfinished: Option<Direction>,
    /// SHA-384 of the file that ran.
    pub checksum: Vec<u8>,
    /// The digits to which zeros fill up the numbers of its app.
    digits: usize,
}

impl Applied {
    /// The name of its file, as far as sqlx keeps it: `0001_initial`.
    pub fn name(&self) -> String {
        format!("{:0digits$}_{}", self.version, self.description.replace(' ', "_"), digits = self.digits)
    }
}

/// A row of the ledger whose migration has another number now, or another head.
#[derive(Debug, Clone, Copy)]
pub struct MovedRow<'p> {
    /// Its number in the ledger.
    pub version: i64,
    /// The migration that it records.
    pub migration: &'p Migration,
}

/// Which migrations were applied to a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ledger {
    /// Every row, by app and number.
    applied: BTreeMap<String, BTreeMap<i64, Applied>>,
    /// Apps whose ledger table does not exist yet.
    pub absent: Vec<String>,
    /// Tables in the ledger's schema that belong to no app.
    pub unknown: Vec<String>,
    /// Other tables that are made like a ledger.
    pub others: Vec<OtherLedger>,
}

impl Ledger {
    /// Reads the ledger of a database. Writes nothing: missing tables are listed in `absent`, not created.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn read(conn: &mut PgConnection, project: &Project) -> Result<Ledger, Error> {
        let tables = other_ledger::tables(conn, project).await?;
        let present: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let (mut ledger, mut selects) = (Ledger::default(), Vec::new());
        for app in &project.apps {
            if present.contains(&app.ledger.as_str()) {
                // Loading the project made sure that both names are plain identifiers.
                selects.push(format!(
                    "select '{}' as app, version, description, {INSTALLED_ON}, success, execution_time, checksum from {}",
                    app.name, app.ledger
                ));
            } else {
                ledger.absent.push(app.name.clone());
            }
        }
        ledger.others = OtherLedger::read(conn, project, &tables).await?;
        let schemas = project.ledger_schemas();
        let in_schemas =
            |table: &str| table.split_once('.').is_some_and(|(schema, _)| schemas.contains(&schema));
        let is_own = |table: &str| project.apps.iter().any(|app| app.ledger == table);
        let is_of = |table: &str| ledger.others.iter().any(|it| it.table == table && it.is_of(project));
        let unknown =
            present.into_iter().filter(|table| in_schemas(table) && !is_own(table) && !is_of(table));
        ledger.unknown = unknown.map(str::to_owned).collect();
        if selects.is_empty() {
            return Ok(ledger);
        }
        let sql = AssertSqlSafe(selects.join(" union all "));
        let rows = match sqlx::query(sql).fetch_all(&mut *conn).await {
            Err(error) if sqlstate::is(&error, NO_RIGHT) => {
                return Err(of_another_role(conn, project, error).await?);
            }
            rows => rows.map_err(Error::database("read the ledger"))?,
        };
        let digits: BTreeMap<&str, usize> =
            project.apps.iter().map(|app| (app.name.as_str(), project.naming(app).digits)).collect();
        for row in rows {
            let applied = (|| {
                let app: String = row.try_get("app")?;
                Ok(Applied {
                    digits: digits.get(app.as_str()).copied().unwrap_or_default(),
                    app,
                    version: row.try_get("version")?,
                    description: row.try_get("description")?,
                    installed_on: row.try_get("installed_on")?,
                    unfinished: match (row.try_get("success")?, row.try_get::<i64, _>("execution_time")?) {
                        (true, _) => None,
                        // As `record` begins a step, and as sqlx marks one that it has not timed.
                        (false, ..0) => Some(Direction::Up),
                        (false, _) => Some(Direction::Down),
                    },
                    checksum: row.try_get("checksum")?,
                })
            })();
            let applied: Applied = applied.map_err(Error::database("read the ledger"))?;
            ledger.applied.entry(applied.app.clone()).or_default().insert(applied.version, applied);
        }
        Ok(ledger)
    }

    /// Every row, by app and number.
    pub fn applied(&self) -> impl Iterator<Item = &Applied> {
        self.applied.values().flat_map(BTreeMap::values)
    }

    /// The row of a migration, if it was applied.
    pub fn row(&self, migration: &Migration) -> Option<&Applied> {
        self.applied.get(&migration.id.app)?.get(&migration.number)
    }

    /// Whether a migration was applied. One that a run began to revert still counts.
    pub fn has(&self, migration: &Migration) -> bool {
        self.row(migration).is_some_and(|row| row.unfinished != Some(Direction::Up))
    }

    /// Which way a run went that did not finish this migration.
    pub fn unfinished(&self, migration: &Migration) -> Option<Direction> {
        self.row(migration)?.unfinished
    }

    /// The migrations that were applied, in the order in which a new database would run them.
    pub fn applied_in<'p>(&self, project: &'p Project) -> Vec<&'p Migration> {
        project.migrations.iter().filter(|migration| self.has(migration)).collect()
    }

    /// The migrations that were not applied, in the order in which they would run.
    pub fn pending<'p>(&self, project: &'p Project) -> Vec<&'p Migration> {
        project.migrations.iter().filter(|migration| !self.has(migration)).collect()
    }

    /// What it is after these rows have moved.
    pub(crate) fn moved(&self, rows: &[MovedRow<'_>]) -> Ledger {
        let mut ledger = self.clone();
        let mut leave =
            |row: &MovedRow<'_>| ledger.applied.get_mut(&row.migration.id.app)?.remove(&row.version);
        let moved: Vec<Option<Applied>> = rows.iter().map(&mut leave).collect();
        for (row, applied) in rows.iter().zip(moved) {
            let Some(applied) = applied else { continue };
            let migration = row.migration;
            let (version, description) =
                (migration.number, migration.recorded.description.clone().into_owned());
            let checksum = migration.checksum().to_owned();
            let applied = Applied { version, description, checksum, ..applied };
            ledger.applied.entry(applied.app.clone()).or_default().insert(version, applied);
        }
        ledger
    }

    /// An applied migration that depends on this one, so that it can't be reverted alone.
    pub fn dependent<'p>(&self, project: &'p Project, migration: &Migration) -> Option<&'p Migration> {
        let on_this = |other: &&Migration| {
            let mut parents = other.parents.iter().map(|parent| &project.migrations[parent.index].id);
            self.has(other) && parents.any(|parent| *parent == migration.id)
        };
        project.migrations.iter().find(on_this)
    }

    /// The migrations that other ledgers list as applied and the apps' own don't, with the table of each ledger.
    pub fn recorded_elsewhere<'p>(&self, project: &'p Project) -> Vec<(&str, Vec<&'p Migration>)> {
        let own = self.applied().map(|row| OwnRow {
            app: &row.app,
            version: row.version,
            installed_on: &row.installed_on,
        });
        let own: Vec<OwnRow<'_>> = own.collect();
        let others = self.others.iter();
        let others = others.map(|other| (other.table.as_str(), other.unrecorded(project, &own)));
        others.filter(|(_, unrecorded)| !unrecorded.is_empty()).collect()
    }

    /// Makes sure that it does not contradict the files.
    pub(crate) fn require_agreement(&self, project: &Project) -> Result<(), Error> {
        let problems = self.problems(project);
        if problems.is_empty() { Ok(()) } else { Err(Error::Ledger(problems)) }
    }
}

/// The error of a ledger that another role made, for its owner to hand over.
async fn of_another_role(
    conn: &mut PgConnection,
    project: &Project,
    source: sqlx::Error,
) -> Result<Error, Error> {
    let tables: Vec<&str> = project.apps.iter().map(|app| app.ledger.as_str()).collect();
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "select current_user::text, pg_get_userbyid(owner)::text,
                format('alter %s %s owner to %I', kind, name, current_user)
         from (select 0 as rank, 'schema' as kind, quote_ident(nspname) as name, nspowner as owner
               from pg_namespace where nspname = any ($1)
               union all
               select 1, 'table', format('%I.%I', n.nspname, c.relname), c.relowner
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where format('%s.%s', n.nspname, c.relname) = any ($2)) made
         where not pg_has_role(owner, 'usage') order by rank, name",
    )
    .bind(project.ledger_schemas())
    .bind(tables)
    .fetch_all(conn)
    .await
    .map_err(Error::database("look for the owner of the ledger"))?;
    let Some((role, owner, _)) = rows.first().cloned() else {
        return Ok(Error::Database { doing: "read the ledger", source });
    };
    let handed_over: Vec<String> = rows.into_iter().map(|(_, _, sql)| sql).collect();
    Ok(Error::LedgerOfAnotherRole { role, owner, sql: handed_over.join("; ") })
}
