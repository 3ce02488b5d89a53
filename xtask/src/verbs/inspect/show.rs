//! Prints tables for people: aligned, one line per column, and broken between words to fit the screen.

use migrations::Project;

use crate::{
    terminal::output::{count, line, width},
    verbs::inspect::{
        model::{Column, ForeignKey, Table},
        sql::bare,
    },
};

/// Width of the first word of a line under the columns; this is the longest.
const KIND: usize = "referenced by".len();

/// Prints every table in a line.
pub(super) fn list(project: &Project, tables: &[Table]) {
    let names = widest(tables.iter().map(|table| table.typed.clone()));
    for (title, tables) in groups(project, tables) {
        line(&format!("{title}, {}", count(tables.len(), "table", "tables")));
        for table in tables {
            let columns = count(table.columns.len(), "column", "columns");
            let comment = table.comment.as_deref().unwrap_or_default();
            let comment = comment.split_whitespace().collect::<Vec<_>>().join(" ");
            let text = format!("  {:names$}  {columns:<10}  {comment}", table.typed);
            line(cut(text.trim_end()).as_str());
        }
        line("");
    }
    line("show one in full: cargo xtask inspect TABLE");
}

/// Prints everything about each table.
pub(super) fn in_full(project: &Project, tables: &[Table]) {
    let mut first = true;
    for (title, tables) in groups(project, tables) {
        for table in tables {
            if !std::mem::take(&mut first) {
                line("");
            }
            print(&title, table);
        }
    }
}

/// The tables of each app in the manifest's order, and then the tables that no app owns.
fn groups<'t>(project: &Project, tables: &'t [Table]) -> Vec<(String, Vec<&'t Table>)> {
    let apps = project.apps.iter().map(|app| (format!("app {}", app.name), Some(&app.name)));
    let groups = apps.chain([("no app".to_owned(), None)]).map(|(title, app)| {
        (title, tables.iter().filter(|table| table.app.as_ref() == app).collect::<Vec<_>>())
    });
    groups.filter(|(_, tables)| !tables.is_empty()).collect()
}

fn print(title: &str, table: &Table) {
    line(&format!("{}  ({title})", table.typed));
    if let Some(comment) = &table.comment {
        wrapped("  ", comment);
    }
    let names = widest(table.columns.iter().map(|column| column.name.clone()));
    let types = widest(table.columns.iter().map(|column| column.kind.clone()));
    for column in &table.columns {
        let null = if column.nullable { "" } else { "not null" };
        let head = format!("  {:names$}  {:types$}  {null:8}  ", column.name, column.kind);
        wrapped(&head, &rest(table, column));
    }
    let mut lines = below(table);
    let names = widest(lines.iter().map(|(_, name, _)| name.clone()));
    lines.extend(referenced_by(table));
    for (kind, name, text) in lines {
        let head = match name.as_str() {
            "" => format!("  {kind:KIND$}  "),
            name => format!("  {kind:KIND$}  {name:names$}  "),
        };
        wrapped(&head, &text);
    }
}

/// The rest of a column's line: keys, identity, default.
fn rest(table: &Table, column: &Column) -> String {
    let mut parts = Vec::new();
    let alone = |columns: &[String]| columns.len() == 1 && columns[0] == column.name;
    if table.primary_key.as_deref().is_some_and(alone) {
        parts.push("primary key".to_owned());
    }
    if let Some(identity) = &column.identity {
        parts.push(format!("identity {identity}"));
    }
    if let Some(default) = &column.default {
        parts.push(format!("default {}", plain(default)));
    }
    if let Some(generated) = &column.generated {
        parts.push(format!("generated as {}", bare(&plain(generated))));
    }
    parts.extend(table.foreign_keys.iter().filter(|key| alone(&key.columns)).map(arrow));
    parts.join(", ")
}

/// `→ table.column on delete …`
fn arrow(key: &ForeignKey) -> String {
    let to = if key.to.len() == 1 { format!(".{}", key.to[0]) } else { format!(" ({})", key.to.join(", ")) };
    let mut text = format!("→ {}{to}", key.table);
    for (event, action) in [("delete", &key.on_delete), ("update", &key.on_update)] {
        if action != "no action" {
            text.push_str(&format!(" on {event} {action}"));
        }
    }
    if key.deferrable {
        text.push_str(" deferrable");
    }
    if !key.validated {
        text.push_str(" not validated");
    }
    text
}

/// The lines under the columns: kind, name, definition.
fn below(table: &Table) -> Vec<(&str, String, String)> {
    let mut lines = Vec::new();
    for constraint in &table.constraints {
        let alone = table.primary_key.as_ref().is_some_and(|key| key.len() == 1);
        if constraint.kind == "primary key" && alone {
            continue;
        }
        // The line starts with the kind already.
        let start = constraint.kind.to_uppercase();
        let text = constraint.definition.strip_prefix(&start).unwrap_or(&constraint.definition);
        let text = plain(text.trim_start());
        let text = if constraint.kind == "check" { bare(&text).to_owned() } else { text };
        lines.push((constraint.kind.as_str(), constraint.name.clone(), text));
    }
    for key in table.foreign_keys.iter().filter(|key| key.columns.len() > 1) {
        let text = format!("({}) {}", key.columns.join(", "), arrow(key));
        lines.push(("foreign key", key.name.clone(), text));
    }
    for index in &table.indexes {
        let kind = if index.unique { "unique index" } else { "index" };
        let invalid = if index.valid { "" } else { " (not valid)" };
        let text = index.definition.strip_prefix("btree ").unwrap_or(&index.definition);
        lines.push((kind, index.name.clone(), format!("{}{invalid}", plain(text))));
    }
    for trigger in &table.triggers {
        let disabled = if trigger.enabled { "" } else { " (disabled)" };
        lines.push(("trigger", trigger.name.clone(), format!("{}{disabled}", trigger.definition)));
    }
    lines
}

fn referenced_by(table: &Table) -> Option<(&'static str, String, String)> {
    let references = table.referenced_by.iter().map(|reference| match &reference.columns[..] {
        [column] => format!("{}.{column}", reference.table),
        columns => format!("{} ({})", reference.table, columns.join(", ")),
    });
    let references: Vec<String> = references.collect();
    (!references.is_empty()).then(|| ("referenced by", String::new(), references.join(", ")))
}

fn widest(texts: impl Iterator<Item = String>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

/// Prints a text after its head, broken between words where it gets too long. A head that fills the screen leaves the text
/// 30 characters per line.
fn wrapped(head: &str, text: &str) {
    let (indent, screen) = (head.chars().count(), width());
    let (mut current, mut length, mut empty) = (head.to_owned(), indent, true);
    for word in text.split_whitespace() {
        let wide = word.chars().count();
        if !empty && length + 1 + wide > screen.max(indent + 30) {
            line(&current);
            (current, length, empty) = (" ".repeat(indent), indent, true);
        }
        if !empty {
            current.push(' ');
            length += 1;
        }
        current.push_str(word);
        length += wide;
        empty = false;
    }
    line(current.trim_end());
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(width()) {
        Some(_) => format!("{}…", text.chars().take(width() - 1).collect::<String>().trim_end()),
        None => text.to_owned(),
    }
}

/// An expression without the casts that Postgres adds to text literals.
fn plain(expression: &str) -> String {
    let mut parts = expression.split("'::text");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(if part.starts_with('[') { "'::text" } else { "'" });
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn only_casts_of_text_literals_are_removed() {
        assert_eq!(plain("a = ANY (ARRAY['b'::text, 'c'::text])"), "a = ANY (ARRAY['b', 'c'])");
        assert_eq!(plain("'{}'::text[] || '{}'::jsonb"), "'{}'::text[] || '{}'::jsonb");
    }
}
