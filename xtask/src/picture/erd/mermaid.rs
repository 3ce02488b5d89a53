//! Draws the tables as Mermaid's `erDiagram`.

use std::fmt::Write;

use crate::picture::erd::schema::{Column, ForeignKey, Schema, Table};

/// Draws all tables and foreign keys.
pub(crate) fn draw(schema: &Schema) -> String {
    let mut text = String::from("%% Drawn by cargo xtask erd.\nerDiagram\n");
    for app in &schema.apps {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  %% {app}");
        for table in schema.tables.iter().filter(|table| &table.app == app) {
            let _ = writeln!(text, "  {} {{", name(&table.name));
            for column in &table.columns {
                let _ = writeln!(
                    text,
                    "    {} {}{}",
                    word(&column.kind),
                    word(&column.name),
                    marks(table, column)
                );
            }
            text += "  }\n";
        }
    }
    for table in &schema.tables {
        for key in &table.foreign_keys {
            let (many, one) = ends(table, key);
            let (from, to) = (name(&table.name), name(&key.table));
            let _ = writeln!(text, "  {from} {many}--{one} {to} : {}", quoted(&key.columns.join(", ")));
        }
    }
    text
}

fn marks(table: &Table, column: &Column) -> String {
    let marks = [
        ("PK", column.primary_key),
        ("FK", table.refers(&column.name)),
        ("UK", column.unique && !column.primary_key),
    ];
    let marks: Vec<&str> = marks.into_iter().filter(|(_, has)| *has).map(|(mark, _)| mark).collect();
    if marks.is_empty() { String::new() } else { format!(" {}", marks.join(", ")) }
}

/// Returns Mermaid's symbols for how many rows there can be at each end of a foreign key.
fn ends(table: &Table, key: &ForeignKey) -> (&'static str, &'static str) {
    let columns = || key.columns.iter().map(|name| &table.columns[table.position(name)]);
    let many = if columns().count() == 1 && columns().any(|it| it.unique) { "|o" } else { "}o" };
    (many, if columns().any(|it| it.nullable) { "o|" } else { "||" })
}

/// Writes a table's name, in quotes if Mermaid would not read it as a name.
fn name(table: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if table.chars().all(plain) && !starts_with_digit(table) { table.to_owned() } else { quoted(table) }
}

/// Writes a text in quotes, and `_` for each character that Mermaid does not allow there.
fn quoted(text: &str) -> String {
    let never = |c: char| matches!(c, '"' | '%' | '\\') || c.is_control();
    format!("\"{}\"", text.replace(never, "_"))
}

/// Replaces the characters that Mermaid does not allow in the name of a type or a column.
fn word(text: &str) -> String {
    let never = |c: char| !c.is_ascii_alphanumeric() && !"_-()[]".contains(c);
    let word = text.replace(never, "_");
    // It must start with a letter or `_`.
    if word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { word } else { format!("_{word}") }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}
