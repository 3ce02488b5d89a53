//! Finds out, from two seedings, by what the seeded rows of each table are identified and which of their columns are compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use catalogue::{Address, Body, Catalogue, Index, Kind};
use migrations::{Error, Project};
use sqlx::PgConnection;

use super::{Column, Reference, Row, Table, read};
use crate::database::{
    ordering::behind_what_they_refer_to,
    sql::{qualified, quoted},
};

/// One seeding: a connection to its database, and the transaction before the seeds ran.
pub(crate) struct Seeding<'c> {
    pub(crate) conn: &'c mut PgConnection,
    pub(crate) since: String,
}

/// Compares two seedings of the same schema.
pub(crate) async fn plan(
    project: &Project,
    catalogue: &Catalogue,
    one: Seeding<'_>,
    other: Seeding<'_>,
) -> anyhow::Result<Reference> {
    let mut reference = Reference::default();
    let indexes = catalogue.indexes();
    // For each finished table, what identifies a row of it: an expression on the row `t`.
    let mut keys: BTreeMap<Address, String> = BTreeMap::new();
    for table in in_order(project, catalogue) {
        let columns = columns(catalogue, &table, &keys);
        let sql = |seeding: &Seeding<'_>| {
            read::select(
                &qualified(&table),
                &columns,
                &format!("age(t.xmin) <= age('{}'::xid)", seeding.since),
            )
        };
        let (first, second) = (sql(&one), sql(&other));
        let failed = || Error::database("read the seeded rows");
        let first = read::rows(one.conn, &first, columns.len()).await.map_err(failed())?;
        let second = read::rows(other.conn, &second, columns.len()).await.map_err(failed())?;
        if first.is_empty() && second.is_empty() {
            continue;
        }
        let key = unique_keys(catalogue, &indexes, &table).into_iter().find(|key| {
            let positions: Vec<usize> = key.iter().filter_map(|name| position(&columns, name)).collect();
            positions.len() == key.len() && same_keys(&positions, &first, &second)
        });
        let Some(key) = key else {
            reference.without_key.push((table.typed(), first.len()));
            continue;
        };
        let planned = compared(&table, &columns, &key, &first, &second);
        let whole: Vec<&str> =
            planned.columns[..planned.key].iter().map(|column| column.sql.as_str()).collect();
        let key = match whole.as_slice() {
            [one] => (*one).to_owned(),
            several => format!("row({})::text", several.join(", ")),
        };
        keys.insert(table, key);
        reference.tables.push(planned);
    }
    Ok(reference)
}

/// The tables of the apps, each behind those that it refers to as far as there is such an order.
fn in_order(project: &Project, catalogue: &Catalogue) -> Vec<Address> {
    let owned: BTreeSet<&str> =
        project.apps.iter().flat_map(|app| app.tables.iter().map(String::as_str)).collect();
    let tables = catalogue.of_kind(Kind::Table).map(|object| &object.address);
    let tables: Vec<&Address> = tables.filter(|it| owned.contains(it.typed().as_str())).collect();
    let positions: HashMap<&Address, usize> = tables.iter().copied().zip(0..).collect();
    let referred = |table: &&Address| {
        let others = references(catalogue, table).into_iter();
        others.filter_map(|(_, on, _)| positions.get(&on).copied()).collect()
    };
    let order = behind_what_they_refer_to(&tables.iter().map(referred).collect::<Vec<_>>());
    order.into_iter().map(|position| tables[position].clone()).collect()
}

/// The foreign keys of one column: it, the table that it refers to, and the column there.
fn references(catalogue: &Catalogue, table: &Address) -> Vec<(String, Address, String)> {
    let keys = catalogue.constraints(table).filter_map(|(_, it)| Some((it, it.references.as_ref()?)));
    keys.filter_map(|(constraint, to)| match (constraint.columns.0.as_slice(), to.columns.as_slice()) {
        ([column], [other]) => Some((column.clone(), to.table.clone(), other.clone())),
        _ => None,
    })
    .collect()
}

/// The columns of a table, each with what it is compared by.
fn columns(catalogue: &Catalogue, table: &Address, keys: &BTreeMap<Address, String>) -> Vec<Column> {
    let references = references(catalogue, table);
    let column = |object: &catalogue::Object| {
        let Body::Column(column) = &object.body else { return None };
        let name = object.address.part.clone();
        let plain = format!("t.{}", quoted(&name));
        let refers = references.iter().find(|(own, _, _)| *own == name);
        let key = refers.and_then(|(_, on, other)| Some((on, other, keys.get(on)?)));
        Some(match key {
            // The inner row is called `t` too, which hides the outer one but for the value that is looked up.
            Some((on, other, key)) => Column {
                sql: format!(
                    "(select {key} from (select {plain} as looked_up) l join {} t on t.{} = l.looked_up)",
                    qualified(on),
                    quoted(other)
                ),
                data_type: None,
                name,
            },
            None => Column { sql: format!("{plain}::text"), data_type: Some(column.data_type.clone()), name },
        })
    };
    catalogue.columns(table).into_iter().filter_map(column).collect()
}

/// The columns of each primary key, unique constraint and plain unique index; the primary key first.
fn unique_keys(
    catalogue: &Catalogue,
    indexes: &BTreeMap<&Address, Vec<(&str, &Index)>>,
    table: &Address,
) -> Vec<Vec<String>> {
    let primary = catalogue.constraints(table).filter(|(_, constraint)| constraint.sort == "primary key");
    let primary = primary.map(|(_, constraint)| constraint.columns.0.clone());
    let plain = |index: &Index| index.unique && index.predicate.is_none() && !index.invalid;
    let indexes = indexes.get(table).into_iter().flatten().filter(|(_, index)| plain(index));
    let indexes =
        indexes.filter_map(|(_, index)| index.keys.0.iter().map(|key| key.column.clone()).collect());
    primary.chain(indexes).collect()
}

fn position(columns: &[Column], name: &str) -> Option<usize> {
    columns.iter().position(|column| column.name == name)
}

/// Whether the rows of both seedings have the same values there, none of them null.
fn same_keys(positions: &[usize], first: &[Row], second: &[Row]) -> bool {
    let keys = |rows: &[Row]| -> Option<BTreeSet<Vec<String>>> {
        let key = |row: &Row| positions.iter().map(|&at| row[at].clone()).collect::<Option<Vec<String>>>();
        let keys: BTreeSet<Vec<String>> = rows.iter().map(key).collect::<Option<_>>()?;
        (keys.len() == rows.len()).then_some(keys)
    };
    keys(first).is_some_and(|first| Some(first) == keys(second))
}

/// The rows with the columns of their key first, then those whose values are the same in both seedings.
fn compared(table: &Address, columns: &[Column], key: &[String], first: &[Row], second: &[Row]) -> Table {
    let mut order: Vec<usize> = key.iter().filter_map(|name| position(columns, name)).collect();
    let arranged = |order: &[usize], rows: &[Row]| -> BTreeSet<Row> {
        rows.iter().map(|row| order.iter().map(|&at| row[at].clone()).collect()).collect()
    };
    let length = order.len();
    for at in 0..columns.len() {
        let with: Vec<usize> = order[..length].iter().copied().chain([at]).collect();
        if !order.contains(&at) && arranged(&with, first) == arranged(&with, second) {
            order.push(at);
        }
    }
    let rows = arranged(&order, first).into_iter().collect();
    Table {
        name: table.typed(),
        sql: qualified(table),
        columns: order.iter().map(|&at| columns[at].clone()).collect(),
        key: length,
        rows,
    }
}
