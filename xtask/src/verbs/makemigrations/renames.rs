//! Renames: two schemas don't show them, so a line `-- renamed-from: old` beside the object in a schema file says it.

use std::collections::BTreeMap;

use anyhow::bail;
use catalogue::{Address, Catalogue, Kind};
use diff::{Change, Part, Rename, Script, Statement};
use migrations::{Project, SchemaFile, statements, tokens};

const DIRECTIVE: &str = "-- renamed-from:";

/// A line that says what an object was called.
struct Hint {
    place: String,
    schema: String,
    relation: String,
    column: Option<String>,
    old: String,
}

/// The renames that the schema files name, as far as the migrations have not made them.
pub(super) fn renames(project: &Project, from: &Catalogue) -> anyhow::Result<Vec<Rename>> {
    let mut hints = Vec::new();
    for file in &project.schema_files {
        hints.extend(hints_of(file)?);
    }
    let mut renames = Vec::new();
    for hint in &hints {
        let Hint { place, schema, relation, column, old } = hint;
        let of_relation = hints.iter().find(|it| {
            it.column.is_none()
                && (&it.schema, &it.relation) == (schema, relation)
                && has(from, schema, &it.old, None)
        });
        let (is_new, is_old, rename) = match column {
            None => (
                has(from, schema, relation, None),
                has(from, schema, old, None),
                Rename { schema: schema.clone(), name: old.clone(), column: None, to: relation.clone() },
            ),
            Some(column) => {
                let name = of_relation.map_or(relation, |it| &it.old);
                let rename = Rename {
                    schema: schema.clone(),
                    name: name.clone(),
                    column: Some(old.clone()),
                    to: column.clone(),
                };
                (has(from, schema, name, Some(column)), has(from, schema, name, Some(old)), rename)
            }
        };
        match (is_new, is_old) {
            // A migration has made it.
            (true, _) => {}
            (false, true) => renames.push(rename),
            (false, false) => bail!(
                "{place}: the migrations make no `{old}` that could get this name; remove the line, or correct it"
            ),
        }
    }
    Ok(renames)
}

/// Whether a schema has a relation or type, or a column of one.
fn has(schema: &Catalogue, of: &str, name: &str, column: Option<&str>) -> bool {
    schema.objects().map(|object| &object.address).any(|address| {
        let is_meant = match column {
            Some(column) => address.kind == Kind::Column && address.part == *column,
            None => !address.kind.is_part() && address.kind != Kind::Index && address.part.is_empty(),
        };
        is_meant && address.schema == of && address.name == name
    })
}

fn hints_of(file: &SchemaFile) -> anyhow::Result<Vec<Hint>> {
    let text = &file.script.text;
    let statements = statements(text);
    let lines: Vec<&str> = text.lines().collect();
    let mut hints = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some((before, old)) = line.split_once(DIRECTIVE) else { continue };
        let number = index + 1;
        let within =
            |(start, sql): &&(usize, &str)| *start <= number && number <= start + sql.matches('\n').count();
        let (statement, column) = match statements.iter().find(within) {
            Some(statement) if statement.0 == number => (Some(statement), None),
            Some(statement) => {
                let after = lines[index + 1..].iter().map(|line| line.trim());
                let next = after.filter(|line| !line.is_empty()).find(|line| !line.starts_with("--"));
                let line = if before.trim().is_empty() { next } else { Some(before) };
                (Some(statement), Some(line.and_then(first_name)))
            }
            None => (statements.iter().find(|(start, _)| *start > number), None),
        };
        let place = format!("{}:{number}", file.script.path);
        let created = statement.and_then(|(_, sql)| created(sql));
        let old = first_name(old);
        let (Some((schema, relation)), Some(old), None | Some(Some(_))) = (created, old, &column) else {
            bail!(
                "{place}: write `{DIRECTIVE} old_name` behind a column in a `create table`, or above the statement that creates the table, view, type, sequence or domain"
            );
        };
        hints.push(Hint { place, schema, relation, column: column.flatten(), old });
    }
    Ok(hints)
}

/// The first name in a line of SQL.
fn first_name(sql: &str) -> Option<String> {
    tokens(sql).first().map(|range| unquoted(&sql[range.clone()]))
}

/// A name as the server stores it.
fn unquoted(token: &str) -> String {
    match token.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(name) => name.replace("\"\"", "\""),
        None => token.to_lowercase(),
    }
}

/// The schema and name of the table, view, type, sequence or domain that a statement creates.
fn created(sql: &str) -> Option<(String, String)> {
    const KINDS: [&str; 5] = ["table", "view", "type", "sequence", "domain"];
    let words: Vec<&str> = tokens(sql).into_iter().map(|range| &sql[range]).collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|it| it.eq_ignore_ascii_case(word));
    let kind = (1..5).find(|&at| KINDS.iter().any(|kind| is(at, kind))).filter(|_| is(0, "create"))?;
    let first = if is(kind + 1, "if") { kind + 4 } else { kind + 1 };
    let name = unquoted(words.get(first)?);
    if is(first + 1, ".") {
        return Some((name, unquoted(words.get(first + 2)?)));
    }
    Some(("public".to_owned(), name))
}

/// Puts the statements of renames before all parts of a script. All parts see the new names.
pub(super) fn before(
    renamed: Vec<Statement>,
    parts: Vec<Part>,
    owner: impl Fn(&Address) -> usize,
) -> Vec<Part> {
    let mut by_owner: BTreeMap<usize, Vec<Statement>> = BTreeMap::new();
    for statement in renamed {
        by_owner.entry(owner(&statement.object)).or_default().push(statement);
    }
    let first = by_owner.len();
    let script = |statements| Script { statements };
    let renames = by_owner.into_iter().map(|(owner, statements)| Part {
        owner,
        script: script(statements),
        waits_for: Default::default(),
    });
    let mut all: Vec<Part> = renames.collect();
    for mut part in parts {
        let waits_for = part.waits_for.iter().map(|at| at + first);
        part.waits_for = waits_for.chain(0..first).collect();
        all.push(part);
    }
    // One migration for both, if nothing comes between them.
    if first == 1 && all.len() > 1 && all[0].owner == all[1].owner {
        let second = all.remove(1);
        all[0].script.statements.extend(second.script.statements);
        for part in &mut all[1..] {
            part.waits_for = part.waits_for.iter().map(|at| at.saturating_sub(1)).collect();
        }
    }
    all
}

/// What looks like a rename and is not said to be one: a column that goes and one of the same type that comes, a line each.
pub(super) fn likely(from: &Catalogue, to: &Catalogue, statements: &[&Statement]) -> Vec<String> {
    let columns = |change: Change| {
        let of = move |it: &&&Statement| it.change == change && it.object.kind == Kind::Column;
        statements.iter().filter(of).map(|it| &it.object)
    };
    let data_type = |schema: &Catalogue, column: &Address| match &schema.get(column)?.body {
        catalogue::Body::Column(column) => Some(column.data_type.clone()),
        _ => None,
    };
    let mut found = Vec::new();
    for gone in columns(Change::Drop) {
        let alike = columns(Change::Create).filter(|new| {
            (&new.schema, &new.name) == (&gone.schema, &gone.name)
                && data_type(to, new) == data_type(from, gone)
        });
        found.extend(alike.map(|new| {
            format!(
                "{gone} goes, and {} comes with the same type; if it is the same column, write `{DIRECTIVE} {}` behind it",
                new.part, gone.part
            )
        }));
    }
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let sqlx_toml = "[migrate]\ncreate-schemas = [\"m\"]\ntable-name = \"m.a\"\n";
        let manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n[[app]]\nname = \"a\"\ndepends-on = []\ntables = []\n";
        let files = [("apps.toml", manifest), ("a/sqlx.toml", sqlx_toml), ("a/schema.sql", text)];
        let files = files.map(|(path, text)| migrations::SourceFile::new(path, text));
        let project = Project::from_files("migrations", files.into()).unwrap();
        let found = hints_of(&project.schema_files[0]).unwrap();
        let found: Vec<String> = found
            .iter()
            .map(|it| {
                format!(
                    "{}.{}{} was {}",
                    it.schema,
                    it.relation,
                    it.column.as_ref().map_or(String::new(), |c| format!(".{c}")),
                    it.old
                )
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_line_belongs_to_the_object_beside_it() {
        check(
            "create table t (\n  a int, -- renamed-from: b\n  -- renamed-from: \"C d\"\n  c text\n);",
            &["public.t.a was b", "public.t.c was C d"],
        );
        check(
            "-- renamed-from: old\n-- Why.\ncreate table if not exists s.\"New\" (\n  a int\n);\n\ncreate type e as enum ('x'); -- renamed-from: f",
            &["s.New was old", "public.e was f"],
        );
        check("select 1", &[]);
    }
}
