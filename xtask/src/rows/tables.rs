//! The tables that the apps own, in the schema of a database: finding them by name, ordering them by their foreign keys,
//! and counting their rows.

use std::{cmp::Reverse, collections::BTreeSet};

use anyhow::{anyhow, bail};
use catalogue::Address;
use migrations::{App, Error, Project};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{
    database::sql::{qualified, quoted},
    terminal::output::count,
};

/// How many rows of a table a command removed or loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct TableRows {
    pub(crate) table: String,
    pub(crate) rows: u64,
}

/// A table that an app owns.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// As the manifest lists it.
    pub(crate) name: String,
    pub(crate) address: Address,
    pub(super) partitioned: bool,
    /// The columns that can be written, which generated ones can't, in the table's order.
    pub(crate) columns: Vec<Column>,
    /// The columns of its primary key, as SQL for `order by`. `None`: it has no primary key.
    pub(crate) order: Option<String>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

#[derive(Debug, Clone)]
pub(crate) struct ForeignKey {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// The table that it refers to.
    pub(crate) target: Address,
    pub(crate) target_columns: Vec<String>,
    /// When Postgres checks it, as SQL for `alter constraint`.
    pub(crate) timing: &'static str,
    /// Whether a load has to take rows that break it.
    pub(crate) not_valid: bool,
}

impl Table {
    /// Returns the quoted and qualified name.
    pub(crate) fn sql(&self) -> String {
        qualified(&self.address)
    }

    /// Returns SQL that selects the rows of the table and its partitions, but not of tables that inherit from it.
    pub(crate) fn own_rows(&self) -> String {
        if self.partitioned { self.sql() } else { format!("only {}", self.sql()) }
    }

    /// Returns the quoted names of the columns, separated by commas.
    pub(crate) fn column_list(&self) -> String {
        quoted_list(self.columns.iter().map(|column| column.name.as_str()))
    }
}

impl ForeignKey {
    /// Whether the key refers to this table.
    pub(crate) fn refers_to(&self, table: &Table) -> bool {
        self.target == table.address
    }
}

/// Quotes names and joins them with commas.
pub(super) fn quoted_list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(quoted).collect::<Vec<_>>().join(", ")
}

/// Returns the names of all tables that an app owns.
pub(crate) fn owned_tables(project: &Project) -> BTreeSet<String> {
    project.apps.iter().flat_map(|app| app.tables.iter().cloned()).collect()
}

/// Finds the tables that the command line names: `APP` or `APP/` for all tables of an app, `TABLE`, or `APP/TABLE` if an app
/// has the same name as the table.
pub(crate) fn resolve_names(project: &Project, names: &[String]) -> anyhow::Result<BTreeSet<String>> {
    let mut tables = BTreeSet::new();
    for name in names {
        let whole = name.strip_suffix('/').unwrap_or(name);
        if let Some(app) = project.apps.iter().find(|app| app.name == whole) {
            tables.extend(app.tables.iter().cloned());
        } else if let Some((app, table)) = name.split_once('/') {
            tables.insert(table_of_app(project.app(app)?, table)?);
        } else if owned_tables(project).contains(name) {
            tables.insert(name.clone());
        } else {
            return Err(unknown_name(project, name));
        }
    }
    Ok(tables)
}

fn table_of_app(app: &App, table: &str) -> anyhow::Result<String> {
    if app.tables.iter().any(|owned| owned == table) {
        return Ok(table.to_owned());
    }
    bail!("app `{}` owns no table `{table}`\n  its tables: {}", app.name, app.tables.join(", "))
}

fn unknown_name(project: &Project, name: &str) -> anyhow::Error {
    let hint = project.similar_name(name).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let apps: Vec<&str> = project.apps.iter().map(|app| app.name.as_str()).collect();
    anyhow!(
        "no app and no table is called `{name}`{hint}\n  apps: {}\n  see their tables: cargo xtask inspect",
        apps.join(", ")
    )
}

/// Counts the rows of each table.
pub(crate) async fn count_rows(conn: &mut PgConnection, tables: &[Table]) -> anyhow::Result<Vec<u64>> {
    let counts: Vec<String> =
        tables.iter().map(|table| format!("(select count(*) from {})", table.own_rows())).collect();
    let sql = format!("select array[{}]::bigint[]", counts.join(", "));
    let counts = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await;
    let counts: Vec<i64> = counts.map_err(Error::database("count the rows"))?;
    Ok(counts.into_iter().map(i64::unsigned_abs).collect())
}

/// Lists the five largest tables that hold rows, and how many more there are: `b 7 rows, a 3 rows, and 2 more tables`.
pub(super) fn list_largest(tables: &[Table], rows: &[u64]) -> String {
    const SHOWN: usize = 5;
    let mut filled: Vec<(&Table, u64)> = tables.iter().zip(rows.iter().copied()).collect();
    filled.retain(|(_, rows)| *rows > 0);
    filled.sort_by_key(|(table, rows)| (Reverse(*rows), &table.name));
    let more = filled.len().saturating_sub(SHOWN);
    let shown = filled.iter().take(SHOWN);
    let mut list: Vec<String> =
        shown.map(|(table, rows)| format!("{} {}", table.name, format_rows(*rows))).collect();
    if more > 0 {
        list.push(format!("and {}", count(more, "more table", "more tables")));
    }
    list.join(", ")
}

/// Formats a number of rows: `1 row`, `2 rows`.
pub(crate) fn format_rows(rows: u64) -> String {
    count(usize::try_from(rows).unwrap_or(usize::MAX), "row", "rows")
}

/// Runs a statement that returns no rows. `doing` says in the error what it was for.
pub(crate) async fn execute(conn: &mut PgConnection, sql: &str, doing: &'static str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.map_err(Error::database(doing))?;
    Ok(())
}
