//! Removes all rows from tables, within the caller's transaction. Nothing cascades to other tables.

use std::collections::BTreeSet;

use catalogue::{Address, Body, Catalogue, Constraint, Kind};
use migrations::Error;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{
    database::sql::{qualified, quoted},
    rows::tables::{Table, execute},
};

/// A foreign key by which another table refers to one of the tables to empty.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// `constraint x of table y, which refers to z`.
    pub(crate) what: String,
    /// The quoted and qualified name of the table that has the key.
    table: String,
    /// The columns of the key.
    columns: Vec<String>,
}

/// Finds the foreign keys by which other tables refer to these or to their partitions.
pub(crate) fn references(schema: &Catalogue, tables: &[Table]) -> Vec<Reference> {
    let emptied: BTreeSet<Address> = with_partitions(schema, tables);
    let keys = schema.of_kind(Kind::Constraint).filter_map(|object| {
        let Body::Constraint(Constraint { columns, references, .. }) = &object.body else { return None };
        let (from, to) = (&schema.table_of(&object.address)?.address, references.as_ref()?);
        if emptied.contains(from) || !emptied.contains(&to.table) {
            return None;
        }
        let (key, table) = (&object.address.part, |it: &Address| it.name_within("public"));
        let what = format!("constraint {key} of table {}, which refers to {}", table(from), table(&to.table));
        let table = qualified(from);
        Some(Reference { what, table, columns: columns.0.clone() })
    });
    keys.collect()
}

/// The tables and their partitions, of all levels.
pub(super) fn with_partitions(schema: &Catalogue, tables: &[Table]) -> BTreeSet<Address> {
    let mut found: BTreeSet<Address> = tables.iter().map(|table| table.address.clone()).collect();
    loop {
        let partitions = schema.of_kind(Kind::Table).filter(|object| {
            object.is_partition()
                && object.needs.iter().any(|need| found.contains(&*need.on))
                && !found.contains(&object.address)
        });
        let partitions: Vec<Address> = partitions.map(|object| object.address.clone()).collect();
        if partitions.is_empty() {
            return found;
        }
        found.extend(partitions);
    }
}

impl Reference {
    /// Counts the rows in which the key is set.
    pub(super) async fn count_rows(&self, conn: &mut PgConnection) -> anyhow::Result<u64> {
        let is_set: Vec<String> =
            self.columns.iter().map(|column| format!("{} is not null", quoted(column))).collect();
        let sql = format!("select count(*) from {} where {}", self.table, is_set.join(" and "));
        let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await;
        let rows: i64 = rows.map_err(Error::database("count the rows that refer to the tables"))?;
        Ok(rows.unsigned_abs())
    }
}

/// Which triggers to disable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Triggers {
    /// Those that `truncate` would fire.
    OnTruncate,
    /// All except constraint triggers, which check rows but don't change them, and the rules that rewrite `delete`. COPY
    /// fires no rules.
    ThatMayChangeRows,
}

/// Disables triggers of the tables and of their partitions by name, and returns the statements that restore each to its state.
/// A rollback restores them too. A table's owner may do this; setting `session_replication_role` needs a superuser.
pub(crate) async fn disable_triggers(
    conn: &mut PgConnection,
    schema: &Catalogue,
    tables: &[Table],
    which: Triggers,
) -> anyhow::Result<Vec<String>> {
    let emptied = with_partitions(schema, tables);
    let mut restore = Vec::new();
    for object in schema.of_kind(Kind::Trigger).chain(schema.of_kind(Kind::Rule)) {
        let Some(table) = schema.table_of(&object.address) else { continue };
        let (fires, state, sort) = match (&object.body, which) {
            (Body::Trigger(it), Triggers::OnTruncate) => (it.on_truncate, &it.state, "trigger"),
            (Body::Trigger(it), Triggers::ThatMayChangeRows) => (!it.constraint, &it.state, "trigger"),
            (Body::Rule(it), Triggers::ThatMayChangeRows) => (it.event == "delete", &it.state, "rule"),
            _ => continue,
        };
        let enable = match state.as_deref() {
            Some("disabled") => continue,
            Some(state) if state.ends_with("replication") => "enable replica",
            Some(_) => "enable always",
            None => "enable",
        };
        if !fires || !emptied.contains(&table.address) {
            continue;
        }
        // A partition may have triggers of its own, and may have its parent's in another state. So each table's triggers
        // are altered separately, with `only`.
        let (name, table) = (quoted(&object.address.part), qualified(&table.address));
        execute(conn, &format!("alter table only {table} disable {sort} {name}"), "disable the triggers")
            .await?;
        restore.push(format!("alter table only {table} {enable} {sort} {name}"));
    }
    Ok(restore)
}

/// Truncates the tables. Postgres refuses it if another table has a foreign key to them, whatever its rows.
pub(crate) async fn truncate(conn: &mut PgConnection, tables: &[Table]) -> anyhow::Result<()> {
    let names: Vec<String> = tables.iter().map(Table::own_rows).collect();
    execute(conn, &format!("truncate {}", names.join(", ")), "remove the rows").await
}

/// Deletes all rows. Unlike [`truncate`], this works if other tables have foreign keys to these, as long as no row uses them.
pub(crate) async fn delete(conn: &mut PgConnection, tables: &[Table]) -> anyhow::Result<()> {
    // One statement, because the tables may refer to each other and Postgres checks the keys at the end of the statement.
    let parts: Vec<String> = tables
        .iter()
        .enumerate()
        .map(|(index, table)| format!("deleted_{index} as (delete from {})", table.own_rows()))
        .collect();
    execute(conn, &format!("with {} select", parts.join(", ")), "remove the rows").await
}
