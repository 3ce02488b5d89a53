//! Columns of tables and views, and attributes of composite types.

use std::iter;

use catalogue::{Address, Body, Column, Kind, Object, Strength};

use super::sequence;
use crate::{
    it::It,
    managed::{Managed, UNKNOWN},
    means::{Facet, Means},
    options::{change_foreign_options, foreign_options, set_options},
    side,
    statement::{Hazard, Sql},
};

/// The facet of a column that is its default.
pub(crate) const DEFAULT: &str = "default";

impl Managed for Column {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let verb = if is_attribute(it) { "add attribute" } else { "add column" };
        let element = element(self, it, false).unwrap_or_default();
        let not_null = not_null_of_identity(self, it);
        vec![format!("{} {verb} {element}{not_null}{}", it.alter(), with_typed_tables(it)).into()]
    }

    fn set(&self, attribute: &str, old: Option<&Column>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        let column = || format!("{} alter column {}", it.alter_only(), it.name());
        let alter = |what: &str| vec![format!("{} {what}", column()).into()];
        Some(match (attribute, old) {
            ("storage", _) => {
                let storage = self.storage.as_ref().unwrap_or(&self.usual_storage.0);
                alter(&format!("set storage {storage}"))
            }
            ("compression", _) => {
                alter(&format!("set compression {}", self.compression.as_deref().unwrap_or("default")))
            }
            // A column that is made with its table or its parent's has the parent's default.
            ("default", None) if self.default.is_none() => alter("drop default"),
            ("statistics", _) => alter(&format!("set statistics {}", self.statistics.unwrap_or(-1))),
            ("options", old) => set_options(&column(), old.map(|old| &old.options), &self.options),
            ("foreign_options", Some(old)) => {
                change_foreign_options(&column(), "", &old.foreign_options, &self.foreign_options)
            }
            _ => return None,
        })
    }

    fn change(&self, old: &Column, attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
        match (attribute, relation(to)) {
            ("data_type" | "collation", Some(Kind::View | Kind::MaterializedView)) => Means::RebuildWhole,
            ("data_type" | "collation", Some(Kind::CompositeType))
                if is_used(from) || !(with_typed_tables(from).is_empty() || is_in_family(old, self)) =>
            {
                Means::RebuildWhole
            }
            ("data_type" | "collation", _)
                if type_of_rows(from).is_some_and(|it| Some(it) == type_of_rows(to)) =>
            {
                Means::Follows
            }
            ("data_type" | "collation", _) if from.side.partitioned_by(from.object).is_some() => {
                Means::RebuildWhole
            }
            // The values are computed again, and no expression may say how.
            ("data_type", _) if self.generated.is_some() && !is_in_family(old, self) => Means::Rebuild,
            ("data_type" | "collation", _) => {
                let differing = [
                    ("data_type", old.data_type != self.data_type),
                    ("collation", old.collation != self.collation),
                ];
                Means::joint(attribute, &differing, Means::Alone(retype(self, old, to)))
            }
            ("not_null", _) if has_named_not_null(to) => Means::Follows,
            ("not_null", _) if self.not_null => Means::Alter(refuse_null(to)),
            ("not_null", _) => {
                Means::alter(format!("{} alter column {} drop not null", to.alter_alone(), to.name()))
            }
            ("default", _) if computes_in_place(old, self, from) => {
                let expression = self.default.as_deref().unwrap_or_default();
                let column = format!("{} alter column {}", to.alter_only(), to.name());
                let sql: Sql = format!("{column} set expression as ({expression})").into();
                Means::Alter(vec![if self.generated.as_deref() == Some("stored") {
                    sql.with(Hazard::Rewrite)
                } else {
                    sql
                }])
            }
            ("default" | "generated", _) if self.generated.is_some() => Means::Rebuild,
            ("generated", _) if old.generated.as_deref() == Some("stored") => Means::AlterWithout(
                vec![format!("{} alter column {} drop expression", to.alter(), to.name()).into()],
                DEFAULT,
            ),
            ("generated", _) => Means::Rebuild,
            ("default", _) => Means::Facet(DEFAULT),
            ("identity", _) => match (own_identity(old, from), own_identity(self, to)) {
                (before, after) if before == after => Means::Follows,
                (before, after) => Means::Alter(change_identity(before, after, to)),
            },
            // Attaching and inheriting make it so, except that what was declared once stays declared.
            ("inherited", _) if self.inherited && !self.declared_here && !is_of_partition(to) => {
                Means::RebuildWhole
            }
            ("inherited", _) => Means::Follows,
            ("declared_here", _)
                if old.inherited != self.inherited && self.declared_here >= self.inherited =>
            {
                Means::Follows
            }
            ("declared_here", _) => Means::RebuildWhole,
            _ => UNKNOWN,
        }
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        let Some(default) = self.default.as_ref().filter(|_| self.generated.is_none()) else {
            return Vec::new();
        };
        let column = format!("{} alter column {}", it.alter_only(), it.name());
        vec![Facet {
            name: DEFAULT,
            set: vec![format!("{column} set default {default}").into()],
            unset: Some(vec![format!("{column} drop default").into()]),
            inline: true,
            replaces: true,
            takes: |need| need.of_default,
            completes: false,
        }]
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        let what = if is_attribute(it) { "attribute" } else { "column" };
        let alter = if is_left_to_child(it) { it.alter_only() } else { it.alter() };
        let sql: Sql = format!("{alter} drop {what} {}{}", it.name(), with_typed_tables(it)).into();
        let computed = self.generated.is_some() || is_attribute(it);
        vec![if computed {
            sql
        } else {
            sql.losing(format!("column {}.{}", it.names.whole(it.address()), it.name()))
        }]
    }
}

/// A column as it stands in a `create table` or after `add column`. `None` if a typed table has nothing to say about it.
pub(super) fn element(column: &Column, it: It<'_, '_>, typed: bool) -> Option<String> {
    let mut words = if typed { String::new() } else { format!(" {}", column.data_type) };
    if let Some(collation) = column.collation.as_ref().filter(|_| !typed) {
        words += &format!(" collate {collation}");
    }
    if !column.foreign_options.0.is_empty() {
        words += &foreign_options(&column.foreign_options);
    }
    if column.not_null && !has_named_not_null(it) {
        words += " not null";
    }
    let computed = column.generated.as_ref().filter(|_| !is_computed_by_parent(it));
    if let (Some(kind), Some(expression)) = (computed, &column.default) {
        words += &format!(" generated always as ({expression}) {kind}");
    } else if let Some(default) = column.default.as_ref().filter(|_| it.makes(DEFAULT, it.object)) {
        words += &format!(" default {default}");
    }
    if let Some(when) = own_identity(column, it) {
        words += &format!(" generated {when} as identity{}", identity_options(it));
    }
    match (typed, words.is_empty()) {
        (true, true) => None,
        (true, false) => Some(format!("{} with options{words}", it.name())),
        (false, _) => Some(it.name() + &words),
    }
}

/// Whether a statement says how a column is computed from then on, as one does from PostgreSQL 17 on. It writes the rows again
/// if they hold the values, and then no row may be held elsewhere.
fn computes_in_place(old: &Column, new: &Column, from: It<'_, '_>) -> bool {
    let table = from.side.whole(from.address());
    let held = table.is_some_and(|table| from.side.holds_rows_of(&table.address));
    let stored = new.generated.as_deref() == Some("stored");
    from.side.catalogue.major() >= 17
        && new.generated.is_some()
        && old.generated == new.generated
        && !(stored && held)
}

/// Whether the statement that makes a table can't say how a column is computed, because a parent says it: up to PostgreSQL 15.
fn is_computed_by_parent(it: It<'_, '_>) -> bool {
    let of_table = it.inline_objects().any(|object| object.address == *it.address());
    let computed = |it: &Object| matches!(&it.body, Body::Column(column) if column.generated.is_some());
    of_table
        && it.side.catalogue.major() < 16
        && !is_of_partition(it)
        && it.side.same_in_parents(it.object).any(computed)
}

/// Whether a child has the same column, and keeps it when the parent's is dropped.
pub(crate) fn stays_in_child(it: It<'_, '_>) -> bool {
    kept_in_children(it).next().is_some()
}

/// Whether a child has the same column from this parent alone, and keeps it.
pub(crate) fn is_left_to_child(it: It<'_, '_>) -> bool {
    kept_in_children(it).any(|kept| {
        let mut originals = it.side.same_in_parents(kept);
        side::is_inherited(kept)
            && !originals
                .any(|other| other.address != *it.address() && it.names.0.get(&other.address).is_some())
    })
}

/// The same column in the children that keep it.
fn kept_in_children<'a, 'c>(it: It<'a, 'c>) -> impl Iterator<Item = &'c Object> + use<'a, 'c> {
    // One that is computed in another way is made again for all of them.
    let computed = matches!(&it.object.body, Body::Column(column) if column.generated.is_some());
    let for_all = computed && it.names.0.get(it.address()).is_some();
    let table = it.side.whole(it.address()).filter(|it| it.address.kind == Kind::Table && !for_all);
    let children = table.into_iter().flat_map(move |table| it.side.children(table));
    children.filter(|child| !child.is_partition()).filter_map(move |child| {
        let part = it.address().part.clone();
        let address = Address { part, kind: Kind::Column, ..child.address.clone() };
        it.side.get(&address).filter(|_| it.names.0.get(&address).is_some())
    })
}

/// Has a column refuse null.
pub(crate) fn refuse_null(it: It<'_, '_>) -> Vec<Sql> {
    let sql: Sql = format!("{} alter column {} set not null", it.alter_alone(), it.name()).into();
    vec![sql.with(Hazard::Scan)]
}

/// The type that a typed table, this one or one above it, has the column from.
fn type_of_rows<'c>(it: It<'_, 'c>) -> Option<&'c str> {
    let all = iter::once(it.object).chain(it.side.columns_above(it.object));
    all.filter_map(|column| it.side.whole(&column.address)).find_map(|table| match &table.body {
        Body::Table(table) => table.of_type.as_deref(),
        _ => None,
    })
}

fn is_of_partition(it: It<'_, '_>) -> bool {
    it.side.whole(it.address()).is_some_and(Object::is_partition)
}

/// The constraint by which a new identity column refuses null. The server would make one of another name.
fn not_null_of_identity(column: &Column, it: It<'_, '_>) -> String {
    let (Some(_), Some(whole)) = (own_identity(column, it), it.side.whole(it.address())) else {
        return String::new();
    };
    let mut all = it.side.catalogue.parts(Kind::NotNull, &whole.address);
    let own = all.find(|other| match &other.body {
        Body::NotNull(other) => !other.no_inherit && other.columns.0.contains(&it.address().part),
        _ => false,
    });
    own.map_or_else(String::new, |own| format!(" constraint {} not null", it.with(own).name()))
}

/// Whether constraints with names of their own say which columns refuse null.
fn has_named_not_null(it: It<'_, '_>) -> bool {
    let is_table = matches!(relation(it), Some(Kind::Table | Kind::ForeignTable));
    is_table && it.side.catalogue.major() >= 18
}

fn relation(it: It<'_, '_>) -> Option<Kind> {
    it.side.whole(it.address()).map(|whole| whole.address.kind)
}

fn is_attribute(it: It<'_, '_>) -> bool {
    relation(it) == Some(Kind::CompositeType)
}

/// Whether anything but its own attributes needs the type of an attribute.
fn is_used(it: It<'_, '_>) -> bool {
    let whole = it.side.whole(it.address());
    whole.is_some_and(|whole| {
        let dependents = it.side.dependents(&whole.address).iter();
        let own = |object: &Object| object.address.is_part_of(&whole.address) || side::is_typed(object);
        dependents.clone().any(|(object, _)| !own(object))
    })
}

/// The typed tables that have a column for each attribute of a type: no other statement changes those.
fn with_typed_tables(it: It<'_, '_>) -> &'static str {
    let whole = it.side.whole(it.address()).filter(|_| is_attribute(it));
    let typed = whole.is_some_and(|whole| {
        it.side.dependents(&whole.address).iter().any(|(object, _)| side::is_typed(object))
    });
    if typed { " cascade" } else { "" }
}

/// The sequence of an identity column.
pub(super) fn identity_sequence<'c>(it: It<'_, 'c>) -> Option<&'c Object> {
    let dependents = it.side.dependents(it.address()).iter();
    let own = dependents.filter(|(object, need)| {
        object.address.kind == Kind::Sequence && need.strength == Strength::Internal
    });
    own.map(|(object, _)| *object).next()
}

fn identity_options(it: It<'_, '_>) -> String {
    match identity_sequence(it).map(|object| (object, &object.body)) {
        Some((object, Body::Sequence(body))) => {
            let name = it.names.whole(&object.address);
            format!(" (sequence name {name}{})", sequence::options(body))
        }
        _ => String::new(),
    }
}

/// The identity of a column that it does not have from a partitioned table, as it does from PostgreSQL 17 on.
fn own_identity<'o>(column: &'o Column, it: It<'_, '_>) -> Option<&'o str> {
    let from_parent = it.side.catalogue.major() >= 17 && is_of_partition(it);
    column.identity.as_deref().filter(|_| !from_parent)
}

fn change_identity(old: Option<&str>, new: Option<&str>, to: It<'_, '_>) -> Vec<Sql> {
    let column = format!("{} alter column {}", to.alter(), to.name());
    vec![match (old, new) {
        (_, None) => format!("{column} drop identity").into(),
        (None, Some(when)) => {
            format!("{column} add generated {when} as identity{}", identity_options(to)).into()
        }
        (Some(_), Some(when)) => format!("{column} set generated {when}").into(),
    }]
}

/// Gives an identity column another sequence.
pub(crate) fn identify_again(it: It<'_, '_>) -> Vec<Sql> {
    let Body::Column(column) = &it.object.body else { return Vec::new() };
    let Some(when) = &column.identity else { return Vec::new() };
    let alter = format!("{} alter column {}", it.alter(), it.name());
    let add = format!("{alter} add generated {when} as identity{}", identity_options(it));
    vec![format!("{alter} drop identity").into(), add.into()]
}

/// Changes the type.
pub(crate) fn retype(new: &Column, old: &Column, to: It<'_, '_>) -> Vec<Sql> {
    let attribute = is_attribute(to);
    let what = if attribute { "attribute" } else { "column" };
    let mut sql = format!("{} alter {what} {} type {}", to.alter(), to.name(), new.data_type);
    if let Some(collation) = &new.collation {
        sql += &format!(" collate {collation}");
    }
    // Nothing computes values for a foreign table, or for a table that one inherits from.
    let below = to.side.columns_below(to.object).into_iter();
    let mut all = below.map(|it| to.with(it)).chain([to]);
    let is_foreign = all.any(|it| relation(it) == Some(Kind::ForeignTable));
    if !attribute && !is_foreign && new.generated.is_none() && old.data_type != new.data_type {
        sql += &using(&to.name(), &old.data_type, &new.data_type);
    }
    sql += with_typed_tables(to);
    with_storage(sql, new, to)
}

/// A change of the type, and what that resets.
fn with_storage(sql: String, column: &Column, it: It<'_, '_>) -> Vec<Sql> {
    let mut all = vec![Sql::from(sql).with(Hazard::Rewrite)];
    for (attribute, is_set) in
        [("storage", column.storage.is_some()), ("compression", column.compression.is_some())]
    {
        if is_set {
            all.extend(column.set(attribute, None, it).unwrap_or_default());
        }
    }
    all
}

/// The same statement for a column whose type was made again under its name.
pub(crate) fn reread(it: It<'_, '_>) -> Vec<Sql> {
    let Body::Column(column) = &it.object.body else { return Vec::new() };
    let (name, new) = (it.name(), &column.data_type);
    let text = if new.ends_with("[]") { "text[]" } else { "text" };
    let mut sql = format!("{} alter column {name} type {new}", it.alter());
    if let Some(collation) = &column.collation {
        sql += &format!(" collate {collation}");
    }
    if relation(it) != Some(Kind::ForeignTable) {
        sql += &format!(" using {name}::{text}::{new}");
    }
    with_storage(sql, column, it)
}

/// Types that Postgres casts to each other by `::`.
const FAMILIES: [&[&str]; 4] = [
    &["smallint", "integer", "bigint", "numeric", "real", "double precision", "oid", "money"],
    &["text", "character varying", "character", "name", "citext"],
    &["timestamp without time zone", "timestamp with time zone", "date"],
    &["json", "jsonb"],
];

/// Whether the values of typed tables can follow their type.
fn is_in_family(old: &Column, new: &Column) -> bool {
    let (old, new) = (without_modifier(&old.data_type), without_modifier(&new.data_type));
    old == new || FAMILIES.iter().any(|family| family.contains(&&*old) && family.contains(&&*new))
}

/// How the values become values of another type: by a cast where Postgres has one, else by way of their text.
fn using(name: &str, old: &str, new: &str) -> String {
    let (from, to) = (without_modifier(old), without_modifier(new));
    let is_text = |of: &str| FAMILIES[1].contains(&of);
    let family = FAMILIES.iter().any(|family| family.contains(&&*from) && family.contains(&&*to));
    // An explicit cast would cut off what is too long; without one that is an error.
    if from == to || (is_text(&from) && is_text(&to)) {
        String::new()
    } else if family || is_text(&from) || is_text(&to) {
        format!(" using {name}::{new}")
    } else if from.ends_with("[]") && to.ends_with("[]") {
        format!(" using {name}::text[]::{new}")
    } else {
        format!(" using {name}::text::{new}")
    }
}

/// A type without its modifier: `numeric` of `numeric(10,2)`.
fn without_modifier(data_type: &str) -> String {
    match (data_type.find('('), data_type.find(')')) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &data_type[..from], &data_type[to + 1..]),
        _ => data_type.to_owned(),
    }
}
