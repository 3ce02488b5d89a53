//! Renames: two schemas don't show them, so a line `-- renamed-from: old` beside the object in a schema file says it.

use std::collections::BTreeMap;

use anyhow::bail;
use catalogue::{Address, Catalogue, Kind};
use diff::{Change, Part, Rename, Script, Statement};
use migrations::Project;

use super::hints::{self, Directive, Hint};

const RENAMED_FROM: Directive = Directive {
    text: "-- renamed-from:",
    usage: "`-- renamed-from: old_name` behind a column in a `create table`, or above the statement that creates the table, view, type, sequence or domain",
};

/// The renames that the schema files name, as far as the migrations have not made them.
pub(super) fn renames(project: &Project, from: &Catalogue) -> anyhow::Result<Vec<Rename>> {
    let mut hints = Vec::new();
    for hint in RENAMED_FROM.hints(project)? {
        let Some(old) = hints::first_name(&hint.value) else { return Err(RENAMED_FROM.misused(&hint.place)) };
        hints.push((hint, old));
    }
    let mut renames = Vec::new();
    for (hint, old) in &hints {
        let Hint { place, schema, relation, column, .. } = hint;
        let of_relation = hints.iter().find(|(it, old)| {
            it.column.is_none()
                && (&it.schema, &it.relation) == (schema, relation)
                && has(from, schema, old, None)
        });
        let (is_new, is_old, rename) = match column {
            None => (
                has(from, schema, relation, None),
                has(from, schema, old, None),
                Rename { schema: schema.clone(), name: old.clone(), column: None, to: relation.clone() },
            ),
            Some(column) => {
                let name = of_relation.map_or(relation, |(_, old)| old);
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
                "{gone} goes, and {} comes with the same type; if it is the same column, write `{} {}` behind it",
                new.part, RENAMED_FROM.text, gone.part
            )
        }));
    }
    found.dedup();
    found
}
