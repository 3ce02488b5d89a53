//! Where each table stands: in which column of the picture, and how far down.
//!
//! Not by layers, as graphs are usually laid out: most tables refer to the same one, and would all share one layer.

use crate::picture::{
    erd::{
        order::order,
        schema::{Column, Schema, Table},
    },
    svg::width_of,
};

/// A column of a table, as a line of its box.
pub(crate) const ROW: i32 = 18;
/// The name above them, and what is free below. With the gap between two boxes they are three rows, so the rows of a whole
/// column of the picture are in step, and never level with those of the next, which begins half a row lower.
pub(crate) const HEAD: i32 = 27;
const FOOT: i32 = 9;
const GAP: i32 = 18;
/// Left of a column's name, with the mark of a key.
pub(crate) const MARK: i32 = 34;
/// Room for lines beside a column, about.
const GUTTER: i32 = 60;
/// Letters of a table's columns, and of its name.
pub(crate) const LETTERS: i32 = 12;
pub(crate) const HEAD_LETTERS: i32 = 13;

/// A table in its place.
pub(crate) struct Placed {
    /// Its position in the schema.
    pub(crate) table: usize,
    /// The column of the picture.
    pub(crate) column: usize,
    /// Its upper edge, below the top of all columns.
    pub(crate) y: i32,
}

/// The places of all tables, in few columns, since a README shrinks what is wide until nobody can read it: as few as make
/// the picture no more than two and a half times as high as it is wide.
pub(crate) fn place(schema: &Schema) -> Vec<Placed> {
    let order = order(schema);
    let fits = |placed: &Vec<Placed>| {
        let width: i32 = widths(schema, placed).iter().map(|width| width + GUTTER).sum();
        let bottom = |it: &Placed| it.y + height(&schema.tables[it.table]);
        placed.iter().all(|it| bottom(it) * 2 <= width * 5)
    };
    let mut all = (1..=order.len()).map(|columns| in_columns(schema, &order, columns));
    all.find(fits).unwrap_or_else(|| in_columns(schema, &order, order.len()))
}

/// The width of each column: that of its widest table.
pub(crate) fn widths(schema: &Schema, placed: &[Placed]) -> Vec<i32> {
    let columns = placed.iter().map(|it| it.column + 1).max().unwrap_or(0);
    let of = |column: usize| placed.iter().filter(move |it| it.column == column);
    (0..columns)
        .map(|column| of(column).map(|it| width(&schema.tables[it.table])).max().unwrap_or(0))
        .collect()
}

/// How high a table's box is.
pub(crate) fn height(table: &Table) -> i32 {
    HEAD + i32::try_from(table.columns.len()).unwrap_or(0) * ROW + FOOT
}

/// The type of a column, as it is shown.
pub(crate) fn kind(column: &Column) -> String {
    format!("{}{}", column.kind, if column.nullable { "?" } else { "" })
}

fn width(table: &Table) -> i32 {
    let column = |it: &Column| MARK + width_of(&format!("{}  {}", it.name, kind(it)), LETTERS) + 10;
    let columns = table.columns.iter().map(column).max().unwrap_or(0);
    columns.max(width_of(&table.name, HEAD_LETTERS) + 24)
}

/// Fills columns one after the other, none higher than need be.
fn in_columns(schema: &Schema, order: &[usize], columns: usize) -> Vec<Placed> {
    let heights: Vec<i32> = order.iter().map(|&table| height(&schema.tables[table]) + GAP).collect();
    let needed = |limit: i32| {
        let mut filled = (1, 0);
        for height in &heights {
            filled = if filled.1 + height > limit {
                (filled.0 + 1, *height)
            } else {
                (filled.0, filled.1 + height)
            };
        }
        filled.0
    };
    let (mut low, mut high) = (heights.iter().copied().max().unwrap_or(0), heights.iter().sum());
    while low < high {
        let middle = low + (high - low) / 2;
        if needed(middle) <= columns { high = middle } else { low = middle + 1 }
    }
    let mut placed: Vec<Placed> = Vec::new();
    let (mut column, mut y) = (0, 0);
    for (&table, height) in order.iter().zip(&heights) {
        if y + height > low {
            (column, y) = (column + 1, 0);
        }
        let shift = if column % 2 == 1 { ROW / 2 } else { 0 };
        placed.push(Placed { table, column, y: y + shift });
        y += height;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(tables: &[usize]) -> Schema {
        let table = |(index, &columns): (usize, &usize)| Table {
            app: "app".to_owned(),
            name: format!("table_{index}"),
            columns: vec![Column::default(); columns],
            ..Table::default()
        };
        Schema { apps: vec!["app".to_owned()], tables: tables.iter().enumerate().map(table).collect() }
    }

    #[test]
    fn no_two_boxes_touch_and_no_two_rows_of_neighbours_are_level() {
        let schema = schema(&[9, 1, 4, 4, 2, 7, 3, 3, 12]);
        let placed = place(&schema);
        assert!(placed.iter().any(|it| it.column > 0));
        let rows = |it: &Placed| {
            let rows = i32::try_from(schema.tables[it.table].columns.len()).unwrap();
            (0..rows).map(|row| it.y + HEAD + row * ROW).collect::<Vec<_>>()
        };
        for one in &placed {
            for other in placed.iter().filter(|other| other.table != one.table) {
                if one.column == other.column {
                    let apart = one.y + height(&schema.tables[one.table]) < other.y
                        || other.y + height(&schema.tables[other.table]) < one.y;
                    assert!(apart, "{} and {}", one.table, other.table);
                } else if one.column.abs_diff(other.column) == 1 {
                    assert!(rows(one).iter().all(|y| !rows(other).contains(y)));
                }
            }
        }
    }
}
