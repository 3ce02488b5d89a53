//! Renames: two schemas don't show them, so a line `-- renamed-from: old` beside the object in a schema file says it.

use std::{collections::BTreeMap, fmt};

use anyhow::bail;
use catalogue::{Address, Body, Catalogue, Kind};
use diff::{Part, Rename, Script, Statement};
use migrations::Project;

use super::hints::{self, Directive, Hint};
use crate::terminal::question;

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

/// What looks like a rename and is not said to be one.
pub(super) struct Likely {
    gone: Address,
    new: Address,
}

impl fmt::Display for Likely {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Likely { gone, new } = self;
        match gone.kind {
            Kind::Column => write!(f, "{gone} goes, and {} comes with the same type", new.part),
            _ => write!(f, "{gone} goes, and {} comes with the same columns", new.name),
        }
    }
}

impl Likely {
    /// What to write if it is one.
    pub(super) fn advice(&self) -> String {
        let (what, old, place) = match self.gone.kind {
            Kind::Column => ("column", &self.gone.part, "behind"),
            _ => ("table", &self.gone.name, "above"),
        };
        format!("{self}; if it is the same {what}, write `{} {old}` {place} it", RENAMED_FROM.text)
    }

    /// It as a rename, beside others.
    fn rename(&self, others: &[Rename]) -> Rename {
        let Likely { gone, new } = self;
        if gone.kind != Kind::Column {
            return Rename {
                schema: gone.schema.clone(),
                name: gone.name.clone(),
                column: None,
                to: new.name.clone(),
            };
        }
        // The table may have another name already.
        let of_table =
            |it: &&Rename| it.column.is_none() && (&it.schema, &it.to) == (&gone.schema, &gone.name);
        let name = others.iter().find(of_table).map_or(&gone.name, |it| &it.name);
        Rename {
            schema: gone.schema.clone(),
            name: name.clone(),
            column: Some(gone.part.clone()),
            to: new.part.clone(),
        }
    }
}

/// Columns that go while one of the same type comes, and tables that go while one with the same columns comes, if they
/// are meant.
pub(super) fn likely(from: &Catalogue, to: &Catalogue, is_meant: impl Fn(&Address) -> bool) -> Vec<Likely> {
    let only = |of: &Catalogue, other: &Catalogue, kind: Kind| -> Vec<Address> {
        let missing = |it: &&Address| other.get(it).is_none();
        of.of_kind(kind).map(|it| &it.address).filter(missing).cloned().collect()
    };
    let columns = |schema: &Catalogue, table: &Address| -> Vec<(String, String)> {
        let columns = schema.parts(Kind::Column, table).filter_map(|it| match &it.body {
            Body::Column(column) => Some((it.address.part.clone(), column.data_type.clone())),
            _ => None,
        });
        columns.collect()
    };
    let data_type = |schema: &Catalogue, column: &Address| match &schema.get(column)?.body {
        Body::Column(column) if column.generated.is_none() => Some(column.data_type.clone()),
        _ => None,
    };
    let mut found = Vec::new();
    let new = only(to, from, Kind::Table);
    for gone in only(from, to, Kind::Table) {
        let alike = |it: &&Address| it.schema == gone.schema && columns(to, it) == columns(from, &gone);
        found.extend(new.iter().filter(alike).map(|new| Likely { gone: gone.clone(), new: new.clone() }));
    }
    let new = only(to, from, Kind::Column);
    for gone in only(from, to, Kind::Column) {
        let same_table = |it: &Address| (&it.schema, &it.name) == (&gone.schema, &gone.name);
        let of_table = to.table_of(&gone).is_some() && data_type(from, &gone).is_some();
        let alike = |it: &&Address| of_table && same_table(it) && data_type(to, it) == data_type(from, &gone);
        found.extend(new.iter().filter(alike).map(|new| Likely { gone: gone.clone(), new: new.clone() }));
    }
    found.retain(|it| is_meant(&it.gone));
    found
}

/// Has the person at the terminal say which of them are renames; `others` are known already.
pub(super) async fn confirmed(likely: &[Likely], others: &[Rename]) -> anyhow::Result<Vec<Rename>> {
    let (mut renames, mut settled): (Vec<Rename>, Vec<&Address>) = (Vec::new(), Vec::new());
    for it in likely {
        if settled.contains(&&it.gone) || settled.contains(&&it.new) {
            continue;
        }
        let what = if it.gone.kind == Kind::Column { "column" } else { "table" };
        if question::is_yes(&format!("{it}; is it the same {what}?")).await? {
            renames.push(it.rename(others));
            settled.extend([&it.gone, &it.new]);
        }
    }
    Ok(renames)
}
