//! Keeps the lists of tables in the manifest up to date. What else is in the file stays, comments too.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow};
use catalogue::{Kind, Object};
use migrations::Project;
use toml_edit::{Array, DocumentMut, InlineTable, Item, RawString, Table, Value};

use crate::throwaway::owned::{Owned, position};

/// The manifest's text with the tables that the apps have in a schema.
pub(super) fn with_tables(
    text: &str,
    project: &Project,
    schema: &Owned,
    apps: &BTreeSet<usize>,
) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse().context("read apps.toml")?;
    // A table leaves the list of the app that had it, although only the other one is meant.
    let left = apps.iter().flat_map(|&app| moved(project, app, &tables(schema, app))).map(|(_, from)| from);
    let left: BTreeSet<usize> = left.map(|from| position(project, from)).collect();
    for &app in apps.union(&left) {
        let (name, tables) = (&project.apps[app].name, tables(schema, app));
        let entries = document.get_mut("app").and_then(|it| it.as_array_of_tables_mut());
        let entry = entries.and_then(|entries| {
            entries.iter_mut().find(|entry| entry.get("name").and_then(|it| it.as_str()) == Some(name))
        });
        let entry = entry.ok_or_else(|| anyhow!("apps.toml has no app `{name}`"))?;
        let list = entry.get_mut("tables").and_then(|it| it.as_array_mut());
        let list = list.ok_or_else(|| anyhow!("apps.toml: app `{name}` has no list `tables`"))?;
        update(list, &tables);
        let moved = moved(project, app, &tables);
        if !moved.is_empty() {
            note_moved(entry, &moved);
        }
    }
    Ok(document.to_string())
}

/// The tables that the manifest has as another app's, each with that app.
fn moved<'p>(project: &'p Project, app: usize, tables: &[String]) -> Vec<(&'p str, &'p str)> {
    let others = project.apps.iter().enumerate().filter(|(at, _)| *at != app);
    let lists = others.flat_map(|(_, other)| other.tables.iter().map(|table| (table.as_str(), &*other.name)));
    lists.filter(|(table, _)| tables.iter().any(|own| own == table)).collect()
}

/// Adds tables to those that have moved to an app. Old migrations of the app that had them before stay right by it.
fn note_moved(entry: &mut Table, tables: &[(&str, &str)]) {
    let moved = entry.entry("moved").or_insert_with(|| Item::Value(Value::InlineTable(InlineTable::new())));
    if let Some(moved) = moved.as_table_like_mut() {
        for (table, from) in tables {
            moved.insert(table, Item::Value((*from).into()));
        }
    }
}

/// The tables that an app's files make. What is a part of another table goes with that.
fn tables(owned: &Owned, app: usize) -> Vec<String> {
    let has_parent = |table: &Object| {
        table.needs.iter().any(|need| matches!(need.on.kind, Kind::Table | Kind::ForeignTable))
    };
    let of_app = |table: &&Object| owned.maker(&table.address).is_some_and(|maker| maker.app == app);
    let tables = owned.schema.tables().filter(of_app).filter(|table| !has_parent(table));
    tables.map(|table| table.address.typed()).collect()
}

/// Removes what is not in the list any more, and adds what is new: in its place if the list is sorted, else at the end.
///
/// A comment behind an element is, to the parser, in front of the next one, so that place is what has to stay.
fn update(list: &mut Array, tables: &[String]) {
    let blanks = Blanks::new(list);
    for at in (0..list.len()).rev() {
        if list.get(at).and_then(Value::as_str).is_some_and(|name| tables.iter().all(|table| table != name)) {
            let removed = list.remove(at);
            set_place(list, at, &text(removed.decor().prefix()));
        }
    }
    for table in tables {
        let names: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        if names.contains(&table.as_str()) {
            continue;
        }
        let sorted = names.is_sorted();
        let at = if sorted { names.partition_point(|name| *name < table.as_str()) } else { list.len() };
        let place = match list.get(at) {
            Some(next) => text(next.decor().prefix()),
            None if text(Some(list.trailing())).contains('#') => {
                text(Some(list.trailing())).trim_end().to_owned() + &blanks.between
            }
            None => blanks.between.clone(),
        };
        set_place(list, at, &blanks.between);
        list.insert_formatted(at, Value::from(table).decorated(place, ""));
    }
    blanks.restore(list);
}

/// Sets what is in front of an element, or of the end.
fn set_place(list: &mut Array, at: usize, blanks: &str) {
    if let Some(next) = list.get_mut(at) {
        next.decor_mut().set_prefix(blanks);
    } else if text(Some(list.trailing())).contains('#') || blanks.contains('#') {
        let comment = if blanks.contains('#') { blanks.trim_end() } else { "" };
        list.set_trailing(format!("{comment}\n"));
    }
}

/// The blanks around the elements of a list.
struct Blanks {
    first: String,
    between: String,
    last: String,
}

impl Blanks {
    fn new(list: &Array) -> Blanks {
        let before = |at: usize| list.get(at).map(|it| text(it.decor().prefix()));
        let first = before(0).unwrap_or_default();
        // A comment belongs to the element before it.
        let blanks = |text: &str| text.rfind('\n').map_or(" ".to_owned(), |line| text[line..].to_owned());
        let between = before(1).as_deref().map_or_else(|| blanks(&first), blanks);
        let last = list.iter().last().map(|it| text(it.decor().suffix())).unwrap_or_default();
        Blanks { first, between, last }
    }

    /// Puts them around whatever is first and last now. Comments stay.
    fn restore(&self, list: &mut Array) {
        let count = list.len();
        for (at, element) in list.iter_mut().enumerate() {
            let decor = element.decor_mut();
            let (before, after) = (text(decor.prefix()), text(decor.suffix()));
            if before.trim().is_empty() {
                decor.set_prefix(if at == 0 { &self.first } else { &self.between });
            }
            if after.trim().is_empty() {
                decor.set_suffix(if at + 1 == count { self.last.as_str() } else { "" });
            }
        }
    }
}

fn text(blanks: Option<&RawString>) -> String {
    blanks.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, tables: &[&str], after: &str) {
        let mut document: DocumentMut = format!("tables = {before}\n").parse().unwrap();
        let tables: Vec<String> = tables.iter().map(|&table| table.to_owned()).collect();
        update(document["tables"].as_array_mut().unwrap(), &tables);
        assert_eq!(document.to_string(), format!("tables = {after}\n"));
    }

    #[test]
    fn a_list_keeps_its_form() {
        check("[]", &["a", "b"], "[\"a\", \"b\"]");
        check("[\"b\"]", &["a", "b"], "[\"a\", \"b\"]");
        check("[\"a\", \"b\"]", &["b"], "[\"b\"]");
        check("[\"a\", \"c\"]", &["a", "b", "c", "d"], "[\"a\", \"b\", \"c\", \"d\"]");
        check("[\"c\", \"a\"]", &["a", "b", "c"], "[\"c\", \"a\", \"b\"]");
        check("[\n    \"b\",\n]", &["a", "b", "c"], "[\n    \"a\",\n    \"b\",\n    \"c\",\n]");
        check("[\n    \"b\"\n]", &["b", "c"], "[\n    \"b\",\n    \"c\"\n]");
        check(
            "[\n    \"a\", # old\n    \"c\",\n]",
            &["a", "b", "c"],
            "[\n    \"a\", # old\n    \"b\",\n    \"c\",\n]",
        );
        check("[\n    \"a\",\n    \"b\",\n]", &[], "[\n]");
        check(
            "[\n    \"a\", # one\n    \"b\", # two\n    \"c\", # three\n]",
            &["a", "c", "d"],
            "[\n    \"a\", # one\n    \"c\", # three\n    \"d\",\n]",
        );
        check("[\n    \"a\", # one\n    \"b\", # two\n]", &["a"], "[\n    \"a\", # one\n]");
    }
}
