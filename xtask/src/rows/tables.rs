//! The tables that the apps own, as they stand in a database: in an order in which their foreign keys let them be filled,
//! locked with an end, and counted.

use std::{cmp::Reverse, collections::BTreeSet};

use anyhow::{Context, anyhow, bail};
use migrations::{App, Error, Project};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{
    database::session::quoted,
    terminal::{exit::Stop, output::count},
};

/// SQLSTATEs of `lock_timeout` and of a deadlock.
const NO_LOCK: &[&str] = &["55P03", "40P01"];

/// How much others may do with a table meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Everything but change its shape.
    Work,
    /// Nothing.
    Wait,
}

/// A table that an app owns.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    partitioned: bool,
    /// Those that can be written, in their order.
    pub(crate) columns: Vec<Column>,
    /// Its primary key as `order by` takes it; `None` where it has none.
    pub(crate) order: Option<String>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) sequences: Vec<Sequence>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ForeignKey {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    schema: String,
    target: String,
    pub(crate) target_columns: Vec<String>,
    /// When it is checked, as `alter constraint` takes it.
    pub(crate) timing: String,
}

/// A sequence that goes with a column.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Sequence {
    /// As SQL takes it.
    pub(crate) name: String,
    pub(crate) column: String,
}

impl Table {
    /// Its name as SQL takes it.
    pub(crate) fn sql(&self) -> String {
        format!("public.{}", quoted(&self.name))
    }

    /// Its own rows as SQL takes them: those of partitions too, but not those of tables that inherit from it.
    pub(crate) fn own_rows(&self) -> String {
        if self.partitioned { self.sql() } else { format!("only {}", self.sql()) }
    }

    /// Its columns as SQL takes them.
    pub(crate) fn column_list(&self) -> String {
        list(self.columns.iter().map(|column| column.name.as_str()))
    }
}

impl ForeignKey {
    /// Whether it leads to this table.
    pub(crate) fn leads_to(&self, table: &Table) -> bool {
        self.schema == "public" && self.target == table.name
    }

    /// The table that it leads to, as people name it.
    pub(crate) fn target(&self) -> String {
        if self.schema == "public" { self.target.clone() } else { format!("{}.{}", self.schema, self.target) }
    }

    /// The same as SQL takes it.
    pub(crate) fn target_sql(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.target))
    }
}

/// Names as SQL takes them, with commas.
pub(crate) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(quoted).collect::<Vec<_>>().join(", ")
}

/// Reads those of these tables that are there, in an order in which they can be filled.
pub(crate) async fn read(
    conn: &mut PgConnection,
    project: &Project,
    names: &BTreeSet<String>,
) -> anyhow::Result<Vec<Table>> {
    let names: Vec<&String> = names.iter().collect();
    let rows: Vec<String> = sqlx::query_scalar(include_str!("tables.sql"))
        .bind(names)
        .fetch_all(conn)
        .await
        .map_err(Error::database("read the tables"))?;
    let tables: Result<Vec<Table>, serde_json::Error> =
        rows.iter().map(|row| serde_json::from_str(row)).collect();
    let mut tables = tables.context("read the tables")?;
    let owned = all(project);
    tables.retain(|table| owned.contains(&table.name));
    Ok(in_order(tables))
}

/// Every table that an app owns.
pub(crate) fn all(project: &Project) -> BTreeSet<String> {
    project.apps.iter().flat_map(|app| app.tables.iter().cloned()).collect()
}

/// A table goes behind those that it refers to. Where some wait for each other, the one that waits for the fewest goes first.
fn in_order(mut left: Vec<Table>) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let waits = |table: &Table| {
            let others = left.iter().filter(|other| other.name != table.name);
            others.filter(|other| table.foreign_keys.iter().any(|key| key.leads_to(other))).count()
        };
        let next = (0..left.len()).min_by_key(|&index| waits(&left[index])).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

/// The tables that a person means by these names: `APP` or `APP/` for all of an app, `TABLE`, or `APP/TABLE` where an app is
/// called the same.
pub(crate) fn named(project: &Project, names: &[String]) -> anyhow::Result<BTreeSet<String>> {
    let mut tables = BTreeSet::new();
    for name in names {
        let whole = name.strip_suffix('/').unwrap_or(name);
        if let Some(app) = project.apps.iter().find(|app| app.name == whole) {
            tables.extend(app.tables.iter().cloned());
        } else if let Some((app, table)) = name.split_once('/') {
            tables.insert(of_app(project.app(app)?, table)?);
        } else if all(project).contains(name) {
            tables.insert(name.clone());
        } else {
            return Err(unknown(project, name));
        }
    }
    Ok(tables)
}

fn of_app(app: &App, table: &str) -> anyhow::Result<String> {
    if app.tables.iter().any(|owned| owned == table) {
        return Ok(table.to_owned());
    }
    bail!("app `{}` owns no table `{table}`\n  its tables: {}", app.name, app.tables.join(", "))
}

fn unknown(project: &Project, name: &str) -> anyhow::Error {
    let hint = project.similar_name(name).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let apps: Vec<&str> = project.apps.iter().map(|app| app.name.as_str()).collect();
    anyhow!(
        "no app and no table is called `{name}`{hint}\n  apps: {}\n  see their tables: cargo xtask inspect",
        apps.join(", ")
    )
}

/// Locks tables, or says who has them. Not for longer than a few seconds: whoever comes later waits behind us.
pub(crate) async fn lock(conn: &mut PgConnection, tables: &[Table], others: Others) -> anyhow::Result<()> {
    let names: Vec<String> = tables.iter().map(Table::sql).collect();
    let mode = if others == Others::Work { "access share" } else { "access exclusive" };
    run(conn, "savepoint before_the_locks", "lock the tables").await?;
    let sql = format!("lock table {} in {mode} mode", names.join(", "));
    let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *conn).await else { return Ok(()) };
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    if !NO_LOCK.contains(&code.as_str()) {
        return Err(Error::database("lock the tables")(error).into());
    }
    run(conn, "rollback to savepoint before_the_locks", "lock the tables").await?;
    let holders: Vec<String> = sqlx::query_scalar(
        "select format('table %s is held by pid %s, application `%s`, role `%s`, running: %s',
                       string_agg(distinct l.relation::regclass::text, ', '), a.pid, a.application_name, a.usename,
                       left(regexp_replace(a.query, '\\s+', ' ', 'g'), 100))
         from pg_locks l join pg_stat_activity a using (pid)
         where l.granted and l.pid <> pg_backend_pid() and l.relation = any ($1::regclass[]::oid[])
           and l.database = (select oid from pg_database where datname = current_database())
           and ($2 = 'access exclusive' or l.mode = 'AccessExclusiveLock')
         group by a.pid, a.application_name, a.usename, a.query order by a.pid",
    )
    .bind(names)
    .bind(mode)
    .fetch_all(conn)
    .await
    .map_err(Error::database("look who holds the tables"))?;
    let holders: String = holders.iter().map(|holder| format!("\n  {holder}")).collect();
    Err(Stop::Locked(format!(
        "gave up waiting for a lock on the tables; nothing was touched{holders}\n  close that session, or run the same command again when it is done"
    ))
    .into())
}

/// How many rows each table holds.
pub(crate) async fn rows(conn: &mut PgConnection, tables: &[Table]) -> anyhow::Result<Vec<u64>> {
    let counts: Vec<String> =
        tables.iter().map(|table| format!("(select count(*) from {})", table.own_rows())).collect();
    let sql = format!("select array[{}]::bigint[]", counts.join(", "));
    let counted = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await;
    let counted: Vec<i64> = counted.map_err(Error::database("count the rows"))?;
    Ok(counted.into_iter().map(i64::unsigned_abs).collect())
}

/// `a 3 rows, b 7 rows`, of those that have any; the largest first, and not all where they are many.
pub(crate) fn told(tables: &[Table], rows: &[u64]) -> String {
    const SHOWN: usize = 5;
    let mut held: Vec<(&Table, u64)> = tables.iter().zip(rows.iter().copied()).collect();
    held.retain(|(_, rows)| *rows > 0);
    held.sort_by_key(|(table, rows)| (Reverse(*rows), &table.name));
    let more = held.len().saturating_sub(SHOWN);
    let shown = held.iter().take(SHOWN).map(|(table, rows)| format!("{} {}", table.name, counted(*rows)));
    let mut told: Vec<String> = shown.collect();
    if more > 0 {
        told.push(format!("and {}", count(more, "more table", "more tables")));
    }
    told.join(", ")
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(rows: u64) -> String {
    count(usize::try_from(rows).unwrap_or(usize::MAX), "row", "rows")
}

/// Runs a statement that gives nothing back.
pub(crate) async fn run(conn: &mut PgConnection, sql: &str, doing: &'static str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.map_err(Error::database(doing))?;
    Ok(())
}
