//! The ledger: which migrations sqlx's tables list as applied, and whether that agrees with the files.
//!
//! Reading never writes. sqlx-cli's `info` creates schema and table, so it fails for a role that may not do that.

use std::{collections::BTreeMap, ops::Bound};

use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::{Direction, Down, Error, LedgerProblem, Migration, MigrationId, Project, lone::Lone, sqlstate};

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
}

impl Ledger {
    /// Reads the ledger of a database. Writes nothing: missing tables are listed in `absent`, not created.
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
                // Loading the project made sure that both names are plain identifiers.
                selects.push(format!(
                    "select '{}' as app, version, description, to_char(installed_on, 'YYYY-MM-DD\"T\"HH24:MI:SSTZH:TZM') \
                     as installed_on, success, execution_time, checksum from {}",
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

    /// Every way in which it contradicts the files. Pending migrations are not a contradiction.
    pub fn problems<'p>(&self, project: &'p Project) -> Vec<LedgerProblem> {
        let key = |migration: &'p Migration| (migration.id.app.as_str(), migration.number);
        let files: BTreeMap<(&str, i64), &Migration> =
            project.migrations.iter().map(|it| (key(it), it)).collect();
        let mut problems = Vec::new();
        for row in self.applied() {
            match files.get(&(row.app.as_str(), row.version)) {
                None => {
                    let applied = format!("{}/{}", row.app, row.name());
                    let (up, installed_on) = (up_file(project, row), row.installed_on.clone());
                    problems.push(LedgerProblem::FileGone { applied, installed_on, up });
                }
                Some(migration) if row.unfinished.is_some() => {
                    problems.extend(unfinished(migration, row, project));
                }
                Some(migration)
                    if migration.checksum() != row.checksum
                        && migration.recorded.description != row.description =>
                {
                    let (id, applied_as) = (migration.id.clone(), row.name());
                    let (ways, installed_on) =
                        (other_branch(project, migration, row), row.installed_on.clone());
                    problems.push(LedgerProblem::OtherFile { id, applied_as, installed_on, ways });
                }
                Some(migration) if migration.checksum() != row.checksum => {
                    let (id, path) = (migration.id.clone(), migration.up.path.clone());
                    let again = self.again(project, migration);
                    problems.push(LedgerProblem::Edited { id, path, again });
                }
                Some(migration) if migration.recorded.description != row.description => {
                    let (id, applied_as) = (migration.id.clone(), row.name());
                    let files = renames(migration, &applied_as);
                    problems.push(LedgerProblem::Renamed { id, applied_as, files });
                }
                Some(_) => {}
            }
        }
        let applied: BTreeMap<(&str, i64), &Migration> =
            files.into_iter().filter(|(_, migration)| self.has(migration)).collect();
        for migration in &project.migrations {
            let (app, number) = key(migration);
            let later = applied
                .range((Bound::Excluded((app, number)), Bound::Unbounded))
                .next()
                .filter(|((other, _), _)| *other == app);
            if let (false, Some((_, later))) = (self.has(migration), later) {
                let (id, after) = (migration.id.clone(), later.id.clone());
                problems.push(LedgerProblem::Late { ways: found_again(project, &id), id, after });
            }
            if !self.has(migration) {
                continue;
            }
            for parent in &migration.parents {
                let parent = &project.migrations[parent.index];
                if parent.id.app != migration.id.app && !self.has(parent) {
                    let (id, parent) = (migration.id.clone(), parent.id.clone());
                    problems.push(LedgerProblem::WithoutParent {
                        ways: found_again(project, &parent),
                        id,
                        parent,
                    });
                }
            }
        }
        problems.extend(
            self.unknown
                .iter()
                .cloned()
                .map(|table| LedgerProblem::UnknownTable { ways: self.renames_of(project, &table), table }),
        );
        problems
    }

    /// An applied migration that depends on this one, so that it can't be reverted alone.
    pub fn dependent<'p>(&self, project: &'p Project, migration: &Migration) -> Option<&'p Migration> {
        let on_this = |other: &&Migration| {
            let mut parents = other.parents.iter().map(|parent| &project.migrations[parent.index].id);
            self.has(other) && parents.any(|parent| *parent == migration.id)
        };
        project.migrations.iter().find(on_this)
    }

    /// The command that applies an edited migration again, if it can be reverted alone and in a transaction.
    fn again(&self, project: &Project, migration: &Migration) -> Option<String> {
        let Down::Script(down) = &migration.down else { return None };
        let outside = down.no_transaction || migration.up.no_transaction;
        if outside || down.is_empty() || self.dependent(project, migration).is_some() {
            return None;
        }
        let MigrationId { app, name } = &migration.id;
        let label = "or, on a development database, and until it is on the main branch, apply it again:";
        project.commands.tool(label, &format!("migrate {app} {name} --again"))
    }

    /// The commands for a table that no app has: an app without a table may have been called otherwise before.
    fn renames_of(&self, project: &Project, table: &str) -> Vec<String> {
        let renamed = project.apps.iter().filter(|app| self.absent.contains(&app.name)).filter_map(|app| {
            let (schema, name) = app.ledger.split_once('.')?;
            let same = table.split_once('.').is_some_and(|(other, _)| other == schema);
            let sql = project.commands.sql(&format!("alter table {table} rename to {name}"));
            same.then(|| format!("if app `{}` was called so before: {sql}", app.name))
        });
        let gone = project.commands.sql(&format!("drop table {table}"));
        renamed.chain([format!("if its app is gone for good, with all that it made: {gone}")]).collect()
    }

    /// Makes sure that it does not contradict the files.
    pub(crate) fn require_agreement(&self, project: &Project) -> Result<(), Error> {
        let problems = self.problems(project);
        if problems.is_empty() { Ok(()) } else { Err(Error::Ledger(problems)) }
    }
}

/// What a person has to decide about a row of a run that did not finish. Nothing, where the next run can see in the catalogue
/// how far that one came.
fn unfinished(migration: &Migration, row: &Applied, project: &Project) -> Option<LedgerProblem> {
    let direction = row.unfinished?;
    let script = match (direction, &migration.down) {
        (Direction::Up, _) => Some(&migration.up),
        (Direction::Down, Down::Script(script)) => Some(script),
        (Direction::Down, Down::Irreversible(_)) => None,
    };
    let same_file = migration.checksum() == row.checksum;
    let outside = script.filter(|script| script.no_transaction);
    let seen = outside.is_some_and(|script| Lone::read(&script.text).leaves_a_trace());
    (!(seen && same_file)).then(|| LedgerProblem::Unfinished {
        id: migration.id.clone(),
        direction: outside.map(|_| direction),
        applied: project.commands.sql(&format!(
            "update {} set success = true where version = {}",
            project.apps[migration.app].ledger, row.version
        )),
        pending: project.commands.sql(&format!(
            "delete from {} where version = {}",
            project.apps[migration.app].ledger, row.version
        )),
    })
}

/// The path that the up file of a row had.
fn up_file(project: &Project, row: &Applied) -> String {
    let path =
        |migration: &Migration| migration.up.path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let folder = project.migrations_of(&row.app).find_map(path).unwrap_or_else(|| row.app.clone());
    let ending = project.app(&row.app).map_or(".up.sql", |app| project.naming(app).up);
    format!("{folder}/{}{ending}", row.name())
}

/// The commands for another migration with the number of this one, which was applied.
fn other_branch(project: &Project, migration: &Migration, row: &Applied) -> Vec<String> {
    let find = format!("find the branch that has it: git log --all --oneline -- {}", up_file(project, row));
    let app = &migration.id.app;
    let earlier = project.migrations_of(app).filter(|other| other.number < migration.number);
    let state = earlier.last().map_or("zero", |earlier| &earlier.id.name);
    let back =
        project.commands.tool("on that branch, go back to before it:", &format!("migrate {app} {state}"));
    let again = project.commands.tool("or begin again without the rows of this database:", "db-reset");
    [find].into_iter().chain(back).chain(again).collect()
}

/// The commands that give the files of a migration another name.
fn renames(migration: &Migration, name: &str) -> Vec<String> {
    let down = match &migration.down {
        Down::Script(script) => Some(&script.path),
        Down::Irreversible(_) => None,
    };
    let paths = [Some(&migration.up.path), down].into_iter().flatten();
    paths
        .map(|path| {
            format!("mv {path} {}", path.replace(&format!("/{}.", migration.id.name), &format!("/{name}.")))
        })
        .collect()
}

/// The commands for a migration whose row may have been lost.
fn found_again(project: &Project, id: &MigrationId) -> Vec<String> {
    let MigrationId { app, name } = id;
    let commands = &project.commands;
    let adopt =
        commands.tool("if the database has what it makes, its row was lost:", &format!("adopt {app} {name}"));
    let tool = commands.tool.as_deref().unwrap_or_default();
    let run = format!("sqlmigrate {app} {name} | {tool} db-shell");
    let run = commands.tool("if it lacks that, make it first:", &run);
    adopt.into_iter().chain(run).collect()
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
