//! The tables that the apps own, as they stand in a database, in an order in which their foreign keys let them be filled.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow, bail};
use migrations::{App, Error, Project, closest, database::quoted};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// A table that an app owns.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// The app that owns it.
    #[serde(skip)]
    pub(crate) app: String,
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
    let mut tables = Vec::new();
    for row in rows {
        let mut table: Table = serde_json::from_str(&row).context("read the tables")?;
        if let Some(app) = project.apps.iter().find(|app| app.tables.contains(&table.name)) {
            table.app.clone_from(&app.name);
            tables.push(table);
        }
    }
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

/// The tables that a person means by these names: `APP` for all of an app, `TABLE`, or `APP/TABLE` where an app is called
/// the same.
pub(crate) fn named(project: &Project, names: &[String]) -> anyhow::Result<BTreeSet<String>> {
    let mut tables = BTreeSet::new();
    for name in names {
        if let Some((app, table)) = name.split_once('/') {
            tables.insert(of_app(project.app(app)?, table)?);
        } else if let Some(app) = project.apps.iter().find(|app| app.name == *name) {
            tables.extend(app.tables.iter().cloned());
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
    let apps = project.apps.iter().map(|app| app.name.as_str());
    let tables = project.apps.iter().flat_map(|app| app.tables.iter().map(String::as_str));
    let known: Vec<&str> = apps.clone().chain(tables).collect();
    let hint = closest(name, &known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let apps: Vec<&str> = apps.collect();
    anyhow!(
        "no app and no table is called `{name}`{hint}\n  apps: {}\n  see their tables: cargo xtask inspect",
        apps.join(", ")
    )
}
