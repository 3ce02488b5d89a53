//! The statements of renames, which come before all others.

use std::collections::BTreeSet;

use catalogue::{Address, Body, Catalogue, Constraint, Index, Kind, Need, Object, Strength};

use crate::{
    error::Error,
    rename::Rename,
    side::{Names, RELATIONS, is_inherited, words},
    statement::{Change, Hazard, Statement},
};

/// The kinds that can be renamed, beside columns.
const RENAMED: [Kind; 9] = [
    Kind::Table,
    Kind::ForeignTable,
    Kind::View,
    Kind::MaterializedView,
    Kind::CompositeType,
    Kind::Sequence,
    Kind::Enum,
    Kind::Domain,
    Kind::Range,
];

/// The renames between two schemas.
///
/// They are made on the old schema first, and it is read again: only the server knows how it prints an expression with the new
/// names. [`crate::diff`] then compares it as any other.
///
/// ```text
/// loop {
///     let statements = renames.next(&from, &to)?;
///     if statements.is_empty() { break }
///     // Run them in a copy of the old schema, and read `from` there. The script begins with them.
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Renames {
    all: Vec<Rename>,
    /// Whether [`Renames::next`] has returned these.
    returned: bool,
}

impl Renames {
    /// These renames.
    pub fn new(all: Vec<Rename>) -> Renames {
        Renames { all, returned: false }
    }

    /// The way back.
    #[must_use]
    pub fn reversed(&self) -> Renames {
        let back = self.all.iter().map(|rename| match &rename.column {
            Some(column) => Rename {
                name: self.new_name(&rename.schema, &rename.name),
                column: Some(rename.to.clone()),
                to: column.clone(),
                ..rename.clone()
            },
            None => Rename { name: rename.to.clone(), to: rename.name.clone(), ..rename.clone() },
        });
        Renames::new(back.collect())
    }

    /// The next statements to run on the old schema, which is read again after that. None when there is nothing left to rename.
    ///
    /// First come the renames themselves, and then what follows a table: its constraints, indexes and sequences.
    ///
    /// # Errors
    /// [`Error::Rename`], if a schema has no such name.
    pub fn next(&mut self, from: &Catalogue, to: &Catalogue) -> Result<Vec<Statement>, Error> {
        if !std::mem::replace(&mut self.returned, true) {
            return Ok(statements(self.moves(from, to)?, from));
        }
        let tables: BTreeSet<(&str, String)> =
            self.all.iter().map(|it| (it.schema.as_str(), self.new_name(&it.schema, &it.name))).collect();
        let moves = tables.iter().flat_map(|(schema, name)| following(from, to, schema, name));
        Ok(statements(moves.collect(), from))
    }

    fn new_name(&self, schema: &str, name: &str) -> String {
        let of = |it: &&Rename| it.column.is_none() && it.schema == schema && it.name == name;
        self.all.iter().find(of).map_or(name, |it| &it.to).to_owned()
    }

    /// The object that a rename is of. Both schemas must have it, each under its own name.
    fn object<'c>(&self, rename: &Rename, from: &'c Catalogue, to: &Catalogue) -> Result<&'c Object, Error> {
        let refused = |why| Error::Rename { rename: rename.clone(), why };
        let Rename { schema, name, column, .. } = rename;
        let old =
            relation(from, schema, name).ok_or(refused("the old schema has no such relation or type"))?;
        let Some(column) = column else {
            let new = relation(to, schema, &rename.to);
            return new.map(|_| old).ok_or(refused("the new schema has no relation or type of that name"));
        };
        let part = |of: &Object, part: &String| Address {
            kind: Kind::Column,
            part: part.clone(),
            ..of.address.clone()
        };
        let old = from.get(&part(old, column)).ok_or(refused("the old schema has no such column"))?;
        let new = relation(to, schema, &self.new_name(schema, name));
        let new = new.and_then(|new| to.get(&part(new, &rename.to)));
        new.ok_or(refused("the new schema has no column of that name"))?;
        if is_inherited(old) {
            return Err(refused("the column is inherited; rename it in the parent table"));
        }
        Ok(old)
    }

    fn moves<'c>(&self, from: &'c Catalogue, to: &Catalogue) -> Result<Vec<Move<'c>>, Error> {
        let mut moves = Vec::new();
        for rename in &self.all {
            let object = self.object(rename, from, to)?;
            moves.push(Move { object, from: own_name(object).clone(), to: rename.to.clone() });
        }
        // What has a new name so far is set aside, and the comparison drops it.
        let others = moves.iter().filter_map(|it: &Move<'c>| it.occupant(from));
        let others: Vec<&Object> =
            others.filter(|other| !moves.iter().any(|it| it.object.address == other.address)).collect();
        moves.extend(others.into_iter().map(|object| {
            let from = own_name(object).clone();
            Move { object, to: aside(&from), from }
        }));
        // Columns first, by the old names of their relations.
        moves.sort_by_key(|it| it.object.address.kind != Kind::Column);
        Ok(moves)
    }
}

/// An object on its way to another name.
struct Move<'c> {
    object: &'c Object,
    from: String,
    to: String,
}

impl<'c> Move<'c> {
    /// The object that has the new name in the old schema.
    fn occupant(&self, catalogue: &'c Catalogue) -> Option<&'c Object> {
        let Address { kind, schema, .. } = &self.object.address;
        match kind {
            Kind::Column => catalogue.get(&Address { part: self.to.clone(), ..self.object.address.clone() }),
            _ => relation(catalogue, schema, &self.to),
        }
    }

    /// Whether it takes the name that another one still has.
    fn waits_for(&self, other: &Move<'_>) -> bool {
        let (one, two) = (&self.object.address, &other.object.address);
        let same_place = match (one.kind, two.kind) {
            (Kind::Column, Kind::Column) => one.name == two.name,
            (one, two) => one != Kind::Column && two != Kind::Column,
        };
        same_place && one.schema == two.schema && self.to == other.from
    }

    fn statement(&self, to: &str, catalogue: &Catalogue) -> Statement {
        let (names, address) = (Names(catalogue), &self.object.address);
        let whole = RELATIONS.into_iter().find_map(|kind| {
            let whole = Address { kind, part: String::new(), ..address.clone() };
            catalogue.get(&whole).filter(|_| address.kind.is_part())
        });
        let (from, to) = (names.quoted(&self.from), names.quoted(to));
        let sql = match (address.kind, whole) {
            (kind, Some(whole)) => {
                let what = match (kind, whole.address.kind) {
                    (Kind::Column, Kind::CompositeType) => "attribute",
                    (Kind::Column, _) => "column",
                    _ => "constraint",
                };
                let alter = format!("alter {} {}", words(whole.address.kind), names.whole(address));
                format!("{alter} rename {what} {from} to {to}")
            }
            (kind, None) => {
                format!("alter {} {}.{from} rename to {to}", words(kind), names.quoted(&address.schema))
            }
        };
        let object = address.clone();
        Statement { sql, object, change: Change::Alter, hazards: vec![Hazard::Lock], commit_after: false }
    }
}

/// The name of an object that has to make room.
fn aside(name: &str) -> String {
    format!("{name} (old)")
}

/// The statements that make moves, none of which takes a name before it is free.
fn statements(mut moves: Vec<Move<'_>>, catalogue: &Catalogue) -> Vec<Statement> {
    let mut statements = Vec::new();
    while !moves.is_empty() {
        let free = moves.iter().position(|it| !moves.iter().any(|other| it.waits_for(other)));
        if let Some(at) = free {
            let done = moves.remove(at);
            statements.push(done.statement(&done.to, catalogue));
        } else if let Some(first) = moves.first_mut() {
            // Two that swap their names.
            let aside = aside(&first.from);
            statements.push(first.statement(&aside, catalogue));
            first.from = aside;
        }
    }
    statements
}

/// What follows the name of a table: its constraints, indexes and sequences that are the same but for their names.
fn following<'c>(from: &'c Catalogue, to: &'c Catalogue, schema: &str, name: &str) -> Vec<Move<'c>> {
    let (Some(old), Some(new)) = (relation(from, schema, name), relation(to, schema, name)) else {
        return Vec::new();
    };
    let of_table = |catalogue: &'c Catalogue, table: &'c Address, other: &Catalogue| -> Vec<&'c Object> {
        let parts = [Kind::Constraint, Kind::NotNull].map(|kind| catalogue.parts(kind, table));
        let own = |object: &&Object| match &object.body {
            Body::Index(it) => it.table.0 == *table && !object.needs.iter().any(is_of_constraint),
            Body::Sequence(it) => it.owned_by.as_ref().is_some_and(|it| it.table == *table),
            _ => false,
        };
        let others = [Kind::Index, Kind::Sequence].map(|kind| catalogue.of_kind(kind).filter(own));
        let all = parts.into_iter().flatten().chain(others.into_iter().flatten());
        let all =
            all.filter(|object| other.get(&object.address).is_none() && object.address.schema == schema);
        all.filter(|object| !is_renamed_with_parent(object)).collect()
    };
    let mut named = of_table(to, &new.address, from);
    let renamed = of_table(from, &old.address, to).into_iter().filter_map(|object| {
        let at = named.iter().position(|other| is_same(object, other))?;
        let to = own_name(named.remove(at)).clone();
        Some(Move { object, from: own_name(object).clone(), to })
    });
    renamed.collect()
}

/// Whether a constraint follows the rename of the constraint that it is a copy of.
fn is_renamed_with_parent(object: &Object) -> bool {
    let is_copied = match &object.body {
        Body::NotNull(_) => true,
        Body::Constraint(it) => it.sort == "check",
        _ => false,
    };
    is_copied && is_inherited(object)
}

fn is_of_constraint(need: &Need) -> bool {
    need.strength == Strength::Internal && need.on.kind == Kind::Constraint
}

/// Whether two objects of one table are the same but for the names of objects.
fn is_same(one: &Object, other: &Object) -> bool {
    match (&one.body, &other.body) {
        (Body::Constraint(one), Body::Constraint(other)) => {
            let one = Constraint { relies_on: other.relies_on.clone(), ..one.clone() };
            one == *other
        }
        (Body::Index(one), Body::Index(other)) => {
            let one = Index { attached_to: other.attached_to.clone(), ..one.clone() };
            one == *other
        }
        // Its counter goes on, whatever else changes.
        (Body::Sequence(one), Body::Sequence(other)) => {
            one.owned_by == other.owned_by && one.identity == other.identity
        }
        (one, other) => one == other,
    }
}

fn own_name(object: &Object) -> &String {
    if object.address.kind.is_part() { &object.address.part } else { &object.address.name }
}

fn relation<'c>(catalogue: &'c Catalogue, schema: &str, name: &str) -> Option<&'c Object> {
    RENAMED.into_iter().find_map(|kind| {
        catalogue.get(&Address {
            kind,
            schema: schema.to_owned(),
            name: name.to_owned(),
            part: String::new(),
        })
    })
}
