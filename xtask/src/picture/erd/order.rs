//! Orders the tables for the layout: by app, the most referenced first, and each followed by the tables that belong to it.

use crate::picture::erd::schema::{ForeignKey, Schema, Table};

/// Returns the positions of the tables in the order in which they fill the columns of the picture.
pub(super) fn order(schema: &Schema) -> Vec<usize> {
    let tables = &schema.tables;
    let parents: Vec<Option<usize>> = (0..tables.len()).map(|index| parent(schema, index)).collect();
    let mut order = Vec::with_capacity(tables.len());
    for app in &schema.apps {
        let mut roots: Vec<usize> = (0..tables.len()).filter(|&index| &tables[index].app == app).collect();
        roots.sort_by_key(|&index| (parents[index].is_some(), -count_references(schema, &tables[index])));
        // Tables with a parent are listed too, because in a cycle every table has one.
        for root in roots {
            follow(&parents, root, &mut order);
        }
    }
    order
}

/// Adds a table and then its children, unless it was added before.
fn follow(parents: &[Option<usize>], table: usize, order: &mut Vec<usize>) {
    if order.contains(&table) {
        return;
    }
    order.push(table);
    for child in (0..parents.len()).filter(|&child| parents[child] == Some(table)) {
        follow(parents, child, order);
    }
}

/// Counts the foreign keys by which other tables refer to a table.
fn count_references(schema: &Schema, table: &Table) -> i64 {
    let others = schema.tables.iter().filter(|other| other.name != table.name);
    let keys = others.flat_map(|other| &other.foreign_keys).filter(|key| key.table == table.name);
    i64::try_from(keys.count()).unwrap_or(i64::MAX)
}

/// Returns the table of the same app that a table belongs to. Of those that it refers to, this is the one with the fewest
/// references: a table that many others refer to says little about any of them.
fn parent(schema: &Schema, index: usize) -> Option<usize> {
    let table = &schema.tables[index];
    let target = |key: &ForeignKey| schema.tables.iter().position(|it| it.name == key.table);
    let referred = table.foreign_keys.iter().filter_map(target);
    let same_app = referred.filter(|&it| it != index && schema.tables[it].app == table.app);
    same_app.min_by_key(|&it| (count_references(schema, &schema.tables[it]), it))
}
