//! Lists the tables as text: one line each, with the number of columns and the foreign keys.

use crate::{
    picture::erd::schema::{Schema, Table},
    terminal::output::count,
};

/// Lists all tables by app, followed by the number of tables and foreign keys.
pub(crate) fn text(schema: &Schema) -> String {
    let name_width = schema.tables.iter().map(|table| table.name.chars().count()).max().unwrap_or(0);
    let columns = |table: &Table| count(table.columns.len(), "column", "columns");
    let columns_width = schema.tables.iter().map(|table| columns(table).len()).max().unwrap_or(0);
    let mut text = String::new();
    for app in &schema.apps {
        text += &format!("{app}\n");
        for table in schema.tables.iter().filter(|table| &table.app == app) {
            let keys =
                table.foreign_keys.iter().map(|key| format!("{} → {}", key.columns.join(", "), key.table));
            let keys = keys.collect::<Vec<_>>().join("; ");
            let line = format!("  {:<name_width$}  {:>columns_width$}  {keys}", table.name, columns(table));
            text += &format!("{}\n", line.trim_end());
        }
    }
    let keys = schema.tables.iter().map(|table| table.foreign_keys.len()).sum();
    let keys = count(keys, "foreign key", "foreign keys");
    format!("{text}\n{}, {keys}\n", count(schema.tables.len(), "table", "tables"))
}
