//! The order in which tables are laid out: by app, the most referred to first, and each followed by those that belong to it.

use crate::picture::erd::schema::{Schema, Table};

/// The tables' positions, in the order in which they fill the columns.
pub(crate) fn order(schema: &Schema) -> Vec<usize> {
    let tables = &schema.tables;
    let parents: Vec<Option<usize>> = (0..tables.len()).map(|index| parent(schema, index)).collect();
    let mut order = Vec::with_capacity(tables.len());
    for app in &schema.apps {
        let mut roots: Vec<usize> = (0..tables.len()).filter(|&index| &tables[index].app == app).collect();
        roots.sort_by_key(|&index| (parents[index].is_some(), -referring(schema, &tables[index])));
        // Those with a parent stand here for the case of a circle, in which nobody is without one.
        for root in roots {
            follow(&parents, root, &mut order);
        }
    }
    order
}

fn follow(parents: &[Option<usize>], table: usize, order: &mut Vec<usize>) {
    if order.contains(&table) {
        return;
    }
    order.push(table);
    for child in (0..parents.len()).filter(|&child| parents[child] == Some(table)) {
        follow(parents, child, order);
    }
}

/// How many foreign keys of other tables lead to a table.
fn referring(schema: &Schema, table: &Table) -> i64 {
    let others = schema.tables.iter().filter(|other| other.name != table.name);
    let keys = others.flat_map(|other| &other.foreign_keys).filter(|key| key.table == table.name);
    i64::try_from(keys.count()).unwrap_or(i64::MAX)
}

/// Of the tables of its app that a table refers to, the one that the fewest refer to: what all refer to tells nothing.
fn parent(schema: &Schema, index: usize) -> Option<usize> {
    let table = &schema.tables[index];
    let named = |key: &crate::picture::erd::schema::ForeignKey| {
        schema.tables.iter().position(|it| it.name == key.table)
    };
    let referred = table.foreign_keys.iter().filter_map(named);
    let same_app = referred.filter(|&it| it != index && schema.tables[it].app == table.app);
    same_app.min_by_key(|&it| (referring(schema, &schema.tables[it]), it))
}
