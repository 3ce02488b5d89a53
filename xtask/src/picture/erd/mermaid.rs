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
            let _ = writeln!(text, "  {} {{", quoted(&table.name));
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
            let (from, to) = (quoted(&table.name), quoted(&key.table));
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

/// Writes a text in quotes, because many a plain name is a keyword, and `_` for what Mermaid does not read there.
fn quoted(text: &str) -> String {
    let never = |c: char| matches!(c, '"' | '%' | '\\') || c.is_control();
    let mut text = text.replace(never, "_");
    // It looks for a direction in the middle of any line: `direction TB`.
    let start = text.to_ascii_lowercase().find("direction");
    if let Some(blanks) = start.map(|start| start + "direction".len()) {
        let end = text[blanks..].find(|c: char| !c.is_whitespace()).unwrap_or(0);
        text.replace_range(blanks..blanks + end, &"_".repeat(end));
    }
    format!("\"{text}\"")
}

/// Replaces the characters that Mermaid does not allow in the name of a type or a column.
fn word(text: &str) -> String {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || ('\u{c0}'..='\u{fffe}').contains(&c);
    let word = text.replace(|c: char| !letter(c) && !c.is_ascii_digit() && !"-()[]".contains(c), "_");
    // It must start with a letter, and would be the mark of a key if a key's mark were all of its first word.
    let start = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
    let is_mark = ["PK", "FK", "UK"].iter().any(|mark| word[..start].eq_ignore_ascii_case(mark));
    if word.starts_with(letter) && !is_mark { word } else { format!("_{word}") }
}
