//! Finds the tables of the apps in the schema of a database.

use std::collections::{BTreeSet, HashMap};

use anyhow::bail;
use catalogue::{Address, Body, Catalogue, Kind, Object};
use migrations::{Contract, Project};

use crate::{
    database::{
        ordering::behind_what_they_refer_to,
        sql::{qualified, quoted},
    },
    rows::tables::{Column, ForeignKey, Table, owned_tables},
};

/// Finds the tables of these names that exist and that an app owns, in an order in which they can be filled.
///
/// A partition and a table that inherits from another are refused: their rows would be in a dump twice. Tables whose rows are
/// on another server are left out, as [`on_another_server`] says.
pub(crate) fn existing_tables(
    schema: &Catalogue,
    project: &Project,
    names: &BTreeSet<String>,
) -> anyhow::Result<Vec<Table>> {
    let contract = Contract::new(schema, project);
    if let Some(part) = contract.parts.iter().find(|part| names.contains(&part.table)) {
        bail!(
            "{part}, whose rows include its rows; nothing was touched\n  remove it from the tables of app `{}` in apps.toml",
            part.app
        );
    }
    let owned = owned_tables(project);
    let is_wanted = |address: &Address| {
        let name = address.typed();
        names.contains(&name) && owned.contains(&name) && foreign_partition(schema, address).is_none()
    };
    let mut found: Vec<&Object> =
        schema.of_kind(Kind::Table).filter(|object| is_wanted(&object.address)).collect();
    // A table that inherits has rows and columns of its own. A partition's rows are read and written through its parent, and
    // a table of a schema in which no app has a table is no app's.
    while let Some(heir) = schema.of_kind(Kind::Table).find(|object| {
        let inherits = object.needs.iter().any(|need| found.iter().any(|parent| parent.address == *need.on));
        inherits
            && contract.schemas.contains(&object.address.schema)
            && !object.is_partition()
            && !found.iter().any(|known| known.address == object.address)
    }) {
        found.push(heir);
    }
    Ok(in_loading_order(found.into_iter().map(|object| Table::new(schema, object)).collect()))
}

/// Says which tables of these names have rows on another server.
pub(crate) fn on_another_server(schema: &Catalogue, names: &BTreeSet<String>) -> Vec<String> {
    let wanted = |object: &&Object| names.contains(&object.address.typed());
    let why = |table: &Object| {
        if table.address.kind == Kind::ForeignTable {
            return Some("its rows are on another server".to_owned());
        }
        let partition = &foreign_partition(schema, &table.address)?.address;
        Some(format!("the rows of its partition {} are on another server", partition.typed()))
    };
    let tables = schema.tables().filter(wanted);
    tables
        .filter_map(|table| Some(format!("table {} is left out: {}", table.address.typed(), why(table)?)))
        .collect()
}

/// A partition of a table, of any level, that is a table of another server.
fn foreign_partition<'c>(schema: &'c Catalogue, table: &Address) -> Option<&'c Object> {
    let parent = |part: &Object| {
        let parent = part.needs.iter().find(|need| part.is_partition() && need.on.kind == Kind::Table)?;
        schema.get(&parent.on)
    };
    let is_below = |part: &&Object| {
        std::iter::successors(parent(part), |&above| parent(above)).any(|above| above.address == *table)
    };
    schema.of_kind(Kind::ForeignTable).find(is_below)
}

/// Says which materialized views hold what they were made of before the rows changed.
pub(crate) fn stale_views(schema: &Catalogue) -> Vec<String> {
    let views = schema.of_kind(Kind::MaterializedView).map(|view| &view.address);
    let note = |view: &Address| {
        format!(
            "materialized view {} holds older rows: refresh materialized view {}",
            view.typed(),
            qualified(view)
        )
    };
    views.map(note).collect()
}

impl Table {
    fn new(schema: &Catalogue, object: &Object) -> Table {
        let columns = schema.columns(&object.address).into_iter().filter_map(|object| match &object.body {
            // Postgres computes generated columns, and accepts no values for them.
            Body::Column(column) if column.generated.is_none() => {
                // As in dumps that were made with `public` in the search path.
                let kind = column.data_type.strip_prefix("public.").unwrap_or(&column.data_type);
                Some(Column { name: object.address.part.clone(), kind: kind.to_owned() })
            }
            _ => None,
        });
        let columns: Vec<Column> = columns.collect();
        let (mut order, mut foreign_keys) = (None, Vec::new());
        for (name, constraint) in schema.constraints(&object.address) {
            if constraint.sort == "primary key" {
                let keys = constraint.columns.0.iter().map(|name| in_order(name, &columns));
                order = Some(keys.collect::<Vec<_>>().join(", "));
            }
            let Some(to) = &constraint.references else { continue };
            foreign_keys.push(ForeignKey {
                name: name.to_owned(),
                columns: constraint.columns.0.clone(),
                target: to.table.clone(),
                target_columns: to.columns.clone(),
                timing: match (constraint.deferrable, constraint.initially_deferred) {
                    (false, _) => "not deferrable",
                    (true, true) => "deferrable initially deferred",
                    (true, false) => "deferrable initially immediate",
                },
                not_valid: constraint.not_valid,
            });
        }
        let partitioned = matches!(&object.body, Body::Table(table) if table.partitioned_by.is_some());
        Table {
            name: object.address.typed(),
            address: object.address.clone(),
            partitioned,
            columns,
            order,
            foreign_keys,
        }
    }
}

/// SQL that orders by a column in the same way on every server, whatever its locale.
fn in_order(name: &str, columns: &[Column]) -> String {
    // Types that have no collation; others are ordered by their text.
    const PLAIN: &[&str] = &[
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "real",
        "double precision",
        "boolean",
        "uuid",
        "date",
        "time",
        "timestamp",
        "interval",
        "bytea",
        "inet",
        "cidr",
        "macaddr",
        "oid",
    ];
    let kind = columns.iter().find(|column| column.name == name).map_or("", |column| &column.kind);
    let plain = PLAIN
        .iter()
        .any(|plain| kind.strip_prefix(plain).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)));
    if plain && !kind.ends_with("[]") {
        quoted(name)
    } else {
        format!("{}::text collate \"C\"", quoted(name))
    }
}

/// Sorts each table behind those that it refers to.
fn in_loading_order(tables: Vec<Table>) -> Vec<Table> {
    let positions: HashMap<&Address, usize> = tables.iter().map(|table| &table.address).zip(0..).collect();
    let referred = |table: &Table| {
        let targets = table.foreign_keys.iter().map(|key| &key.target);
        targets.filter_map(|target| positions.get(target).copied()).collect()
    };
    let order = behind_what_they_refer_to(&tables.iter().map(referred).collect::<Vec<_>>());
    let mut tables: Vec<Option<Table>> = tables.into_iter().map(Some).collect();
    order.into_iter().filter_map(|position| tables[position].take()).collect()
}
