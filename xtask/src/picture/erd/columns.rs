//! Chooses for each table the column of the picture and the height in it.
//!
//! Graphs are usually laid out in layers. Here most tables refer to the same one, and would all share one layer.

use crate::picture::{
    erd::{
        order::order,
        schema::{Column, Schema, Table},
    },
    svg::width_of,
};

/// Height of a table's column, which is a row of its box.
pub(super) const ROW: i32 = 18;
/// Height of the table's name, and of the space below the rows. With the gap between two boxes they make three rows. So all
/// rows in a column of the picture are in step, and never level with rows of the next column, which starts half a row lower.
pub(super) const HEAD: i32 = 27;
const FOOT: i32 = 9;
const GAP: i32 = 18;
/// Space to the left of a column's name, for `PK` and the like.
pub(super) const MARK: i32 = 34;
/// Typical space for lines beside a column, for estimating the width of the picture.
const GUTTER: i32 = 60;
/// Font sizes of a table's columns and of its name, in pixels.
pub(super) const LETTERS: i32 = 12;
pub(super) const HEAD_LETTERS: i32 = 13;

/// The place of a table in the picture.
pub(super) struct Placed {
    /// Its position in the schema.
    pub(super) table: usize,
    /// The column of the picture.
    pub(super) column: usize,
    /// Distance of its upper edge from the top of the columns.
    pub(super) y: i32,
}

/// Places all tables in the fewest columns with which the height of the picture is at most two and a half times its width.
/// Few, because a README shrinks a wide picture until people can't read it.
pub(super) fn place_tables(schema: &Schema) -> Vec<Placed> {
    let order = order(schema);
    let fits = |placed: &Vec<Placed>| {
        let width: i32 = widths(schema, placed).iter().map(|width| width + GUTTER).sum();
        let bottom = |it: &Placed| it.y + height(&schema.tables[it.table]);
        placed.iter().all(|it| bottom(it) * 2 <= width * 5)
    };
    let mut all = (1..=order.len()).map(|columns| in_columns(schema, &order, columns));
    all.find(fits).unwrap_or_else(|| in_columns(schema, &order, order.len()))
}

/// Returns the width of each column, which is the width of its widest table.
pub(super) fn widths(schema: &Schema, placed: &[Placed]) -> Vec<i32> {
    let columns = placed.iter().map(|it| it.column + 1).max().unwrap_or(0);
    let tables_in = |column: usize| placed.iter().filter(move |it| it.column == column);
    (0..columns)
        .map(|column| tables_in(column).map(|it| width(&schema.tables[it.table])).max().unwrap_or(0))
        .collect()
}

/// Returns the height of a table's box.
pub(super) fn height(table: &Table) -> i32 {
    HEAD + i32::try_from(table.columns.len()).unwrap_or(0) * ROW + FOOT
}

/// Returns a column's type as the picture shows it, with `?` if it may be null.
pub(super) fn type_label(column: &Column) -> String {
    format!("{}{}", column.kind, if column.nullable { "?" } else { "" })
}

fn width(table: &Table) -> i32 {
    let column = |it: &Column| MARK + width_of(&format!("{}  {}", it.name, type_label(it)), LETTERS) + 10;
    let columns = table.columns.iter().map(column).max().unwrap_or(0);
    columns.max(width_of(&table.name, HEAD_LETTERS) + 24)
}

/// Fills the columns one after the other, as evenly as their order allows.
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
        let placed = place_tables(&schema);
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
