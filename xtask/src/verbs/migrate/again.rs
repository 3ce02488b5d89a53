//! `migrate APP NAME --again`: while a migration is being written, reverts it by its present down file and applies it again.

use std::collections::BTreeMap;

use catalogue::{Address, Catalogue, Kind};
use migrations::{Error, Ledger, LedgerProblem, Migration, Project, Step, run_within, shell_word};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    checkout::Checkout,
    database::{
        differences::{self, MADE},
        migrating,
        safety::{self, Destruction},
        schema,
        session::{self, Timeouts},
        sql::{qualified, quoted},
    },
    files::git::Git,
    server::Server,
    terminal::{
        exit::Stop,
        output::{Steps, count, timed},
    },
    throwaway::{baseline::Wanted, checking::roles},
};

const DOING: &str = "apply the migration again";

pub(super) struct Again<'a> {
    pub(super) checkout: &'a Checkout,
    pub(super) server: &'a Server,
    pub(super) project: &'a Project,
    pub(super) migration: &'a Migration,
    pub(super) confirmed: Option<&'a str>,
}

impl Again<'_> {
    /// Refuses a migration that others may have applied, since it is on the main branch.
    pub(super) fn require_own_branch(&self, base: Option<&str>) -> anyhow::Result<()> {
        let git = Git::new(&self.checkout.root)?;
        let base = git.base(base)?;
        let path = &self.migration.up.path;
        if git.files(&base, path)?.contains(path) {
            let why = format!("{path} is on {base}, so other databases may have applied it");
            return Err(self.refused(&why));
        }
        Ok(())
    }

    fn refused(&self, why: &str) -> anyhow::Error {
        Stop::Refused(format!("{why}; nothing was touched\n  {}", self.otherwise())).into()
    }

    fn otherwise(&self) -> String {
        let path = &self.migration.up.path;
        format!("put it back (git checkout -- {}), and write the change as a new migration", shell_word(path))
    }

    pub(super) async fn run(&self, timeouts: Timeouts, steps: &mut Steps) -> anyhow::Result<()> {
        let (migration, project) = (self.migration, self.project);
        let Some(down) = Step::down(migration).filter(|step| !step.script.is_empty()) else {
            return Err(self.refused(&format!("{} has no way back", migration.id)));
        };
        if down.script.no_transaction || migration.up.no_transaction {
            return Err(self.refused(&format!("{} runs without a transaction", migration.id)));
        }
        let mut session = session::open(self.server, project, timeouts).await?;
        let found = session.found().await?;
        let server = self.server;
        safety::require_expendable(&server.options, server.database(), &found, &self.otherwise())?;
        let ledger = session.ledger(project).await?;
        self.require_revertible(&ledger)?;
        let expected = self.expected(session.connection(), &ledger, steps).await?;
        let lock = session.lock(&mut |event| migrating::report(steps, &event)).await?;
        lock.run(async |conn| self.in_one_transaction(conn, &down, &ledger, &expected, steps).await).await?;
        session.close().await;
        Ok(())
    }

    /// Refuses unless it is applied, no applied one depends on it, and the rest of the ledger agrees with the files.
    fn require_revertible(&self, ledger: &Ledger) -> anyhow::Result<()> {
        let id = &self.migration.id;
        let mut problems = ledger.problems(self.project);
        problems.retain(|it| !matches!(it, LedgerProblem::Edited { id: edited, .. } if edited == id));
        if !problems.is_empty() {
            return Err(Error::Ledger(problems).into());
        }
        if !ledger.has(self.migration) {
            let (app, name) = (&id.app, &id.name);
            let why = format!(
                "{id} is not applied yet\n  apply it: cargo xtask migrate {app} {}",
                shell_word(name)
            );
            return Err(Stop::Refused(why).into());
        }
        match ledger.dependent(self.project, self.migration) {
            Some(dependent) => {
                Err(self.refused(&format!("{} is applied, and depends on {id}", dependent.id)))
            }
            None => Ok(()),
        }
    }

    /// What the files of the applied migrations make.
    async fn expected(
        &self,
        conn: &mut PgConnection,
        ledger: &Ledger,
        steps: &mut Steps,
    ) -> anyhow::Result<Catalogue> {
        let (checkout, project) = (self.checkout, self.project);
        let major = conn.server_version_num().unwrap_or_default() / 10_000;
        let roles = &roles(conn).await?;
        let wanted = Wanted { checkout, project, ledger, major, roles, here: None };
        wanted.get(steps).await?.catalogue(project)
    }

    async fn in_one_transaction(
        &self,
        conn: &mut PgConnection,
        down: &Step<'_>,
        ledger: &Ledger,
        expected: &Catalogue,
        steps: &mut Steps,
    ) -> anyhow::Result<()> {
        let mut transaction = conn.begin().await.map_err(Error::database(DOING))?;
        let conn = &mut *transaction;
        if Ledger::read(conn, self.project).await? != *ledger {
            let why = "another command migrated meanwhile; nothing was touched\n  run the same command again";
            return Err(Stop::Unfit(why.to_owned()).into());
        }
        self.require_confirmation(conn, down).await?;
        let mut ran = Vec::new();
        for (step, state) in [(*down, "reverted"), (Step::up(self.migration), "applied again")] {
            steps.doing("migrate", &self.migration.id.to_string());
            let (done, elapsed) = timed(run_within(conn, self.project, &step)).await;
            done?;
            ran.push((state, elapsed));
        }
        let checked = sqlx::raw_sql("set constraints all immediate").execute(&mut *conn).await;
        checked.map_err(Error::database("check the deferred constraints"))?;
        let found = schema::read_within(conn, self.project).await?;
        let differences = differences::from_database(expected, &found);
        if !differences.is_empty() {
            let lines = differences::lines(expected, &found, &differences, MADE).join("\n  ");
            anyhow::bail!(
                "with {} applied again, the database is not what its files make; nothing of it was kept\n  {lines}\n  \
                 make {} revert what was applied, and run the same command again",
                self.migration.id,
                down.script.path
            );
        }
        transaction.commit().await.map_err(Error::database(DOING))?;
        for (state, elapsed) in ran {
            steps.done("migrate", &self.migration.id.to_string(), state, Some(elapsed));
        }
        Ok(())
    }

    /// Reverts the migration to see which rows go, takes that back, and refuses unless the user has confirmed it.
    async fn require_confirmation(&self, conn: &mut PgConnection, down: &Step<'_>) -> anyhow::Result<()> {
        let failed = || Error::database(DOING);
        let before = schema::read_within(conn, self.project).await?;
        let mut rehearsal = conn.begin().await.map_err(failed())?;
        run_within(&mut rehearsal, self.project, down).await?;
        let after = schema::read_within(&mut rehearsal, self.project).await?;
        let parts = Part::all(&before, &after);
        let there: Vec<&Part> = parts.iter().filter(|part| part.is_in(&after)).collect();
        let left = rows(&mut rehearsal, &there).await?;
        let left: BTreeMap<&Address, i64> = there.iter().map(|part| &part.table).zip(left).collect();
        rehearsal.rollback().await.map_err(failed())?;
        let before = rows(conn, &parts.iter().collect::<Vec<_>>()).await?;
        let lost = parts.iter().zip(before).filter_map(|(part, before)| {
            let left = part.column.is_none().then(|| left.get(&part.table).copied());
            let left = left.flatten().unwrap_or(0);
            (before > left).then(|| part.lost(before - left))
        });
        let lost: Vec<String> = lost.collect();
        if lost.is_empty() {
            return Ok(());
        }
        let (id, target) = (&self.migration.id, self.server.database());
        let again = safety::again(&format!("migrate {} {} --again", id.app, shell_word(&id.name)), target);
        let what = "nothing was touched";
        Destruction { target, what, confirmed: self.confirmed, again }
            .require_confirmation(&format!("{id} would take rows with it: {}", lost.join(", ")))
    }
}

/// A table, or the values of a column that goes without its table.
struct Part {
    table: Address,
    column: Option<String>,
}

impl Part {
    /// Every table, and every column that is gone.
    fn all(before: &Catalogue, after: &Catalogue) -> Vec<Part> {
        let tables = before.of_kind(Kind::Table).map(|object| &object.address);
        let tables = tables.map(|table| Part { table: table.clone(), column: None });
        let gone = before.of_kind(Kind::Column).filter(|object| after.get(&object.address).is_none());
        let gone = gone.filter_map(|object| {
            let table = before.table_of(&object.address).filter(|table| table.address.kind == Kind::Table)?;
            after.get(&table.address)?;
            Some(Part { table: table.address.clone(), column: Some(object.address.part.clone()) })
        });
        tables.chain(gone).collect()
    }

    fn is_in(&self, schema: &Catalogue) -> bool {
        self.column.is_none() && schema.get(&self.table).is_some()
    }

    /// For people: `extra (3 rows)`.
    fn lost(&self, rows: i64) -> String {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        match &self.column {
            None => format!("{} ({})", self.table.name, count(rows, "row", "rows")),
            Some(column) => format!("{}.{column} ({})", self.table.name, count(rows, "value", "values")),
        }
    }
}

/// How many rows or values each part holds.
async fn rows(conn: &mut PgConnection, parts: &[&Part]) -> anyhow::Result<Vec<i64>> {
    let mut found = Vec::new();
    for part in parts {
        let counted = part.column.as_ref().map_or("*".to_owned(), |column| quoted(column));
        // A partition or child is a table of its own.
        let sql = format!("select count({counted}) from only {}", qualified(&part.table));
        let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *conn).await;
        found.push(rows.map_err(Error::database("count the rows that would go"))?);
    }
    Ok(found)
}
