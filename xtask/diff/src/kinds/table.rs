//! Tables of this and of other servers.

use std::iter;

use catalogue::{Address, Body, ForeignTable, Kind, Need, Object, Strength, Table};

use super::{column, constraint};
use crate::{
    it::It,
    managed::{Managed, UNKNOWN},
    means::{Facet, Means},
    options::{change_foreign_options, foreign_options, set_options, with},
    side,
    statement::{Hazard, Sql},
};

/// The facet of a partition that makes it one.
pub(crate) const ATTACHED: &str = "attached";
/// What has a table leave its parents.
pub(crate) const LEFT: &str = "inherits";
/// What has a table join other parents.
pub(crate) const JOINED: &str = "inherits more";
/// What has a table leave its type.
pub(crate) const LEFT_TYPE: &str = "of_type";
/// What has a table take a type.
pub(crate) const JOINED_TYPE: &str = "of_type then";

impl Managed for Table {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let unlogged = if self.unlogged { "unlogged " } else { "" };
        let mut sql = format!("create {unlogged}table {}", it.name());
        sql += &match &self.of_type {
            Some(of_type) => format!(" of {of_type}{}", elements(it, true)),
            None => elements(it, false),
        };
        sql += &inherits(it);
        if let Some(key) = &self.partitioned_by {
            sql += &format!(" partition by {key}");
        }
        if let Some(method) = &self.access_method {
            sql += &format!(" using {}", it.quoted(method));
        }
        sql += &with(&self.options);
        if let Some(tablespace) = &self.tablespace {
            sql += &format!(" tablespace {}", it.quoted(tablespace));
        }
        vec![sql.into()]
    }

    fn set(&self, attribute: &str, old: Option<&Table>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        let only = || format!("alter table only {}", it.name());
        let switch = |on: bool, what: &str, yes: &str, no: &str| {
            vec![format!("{} {} {what}", only(), if on { yes } else { no }).into()]
        };
        Some(match (attribute, old) {
            ("row_security", _) => switch(self.row_security, "row level security", "enable", "disable"),
            ("forced_row_security", _) => {
                switch(self.forced_row_security, "row level security", "force", "no force")
            }
            ("replica_identity", _) => replica_identity(&only(), self.replica_identity.as_deref()),
            ("options", Some(old)) => set_options(&it.alter(), Some(&old.options), &self.options),
            ("unlogged", Some(_)) => {
                let sql: Sql =
                    format!("{} set {}", it.alter(), if self.unlogged { "unlogged" } else { "logged" })
                        .into();
                vec![sql.with(Hazard::Rewrite)]
            }
            ("access_method", Some(_)) => {
                let sql = match &self.access_method {
                    Some(method) => format!("set access method {}", it.quoted(method)),
                    None if self.partitioned_by.is_some() => "set access method default".to_owned(),
                    None => "set access method heap".to_owned(),
                };
                let sql: Sql = format!("{} {sql}", it.alter()).into();
                vec![if self.partitioned_by.is_some() { sql } else { sql.with(Hazard::Rewrite) }]
            }
            ("tablespace", Some(_)) => set_tablespace(&it.alter(), self.tablespace.as_deref(), it),
            _ => return None,
        })
    }

    fn change(&self, _: &Table, attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
        match attribute {
            "partitioned_by" => Means::Rebuild,
            "partition" | "inherits" => change_parentage(attribute, from, to),
            "of_type" => change_type_of_rows(from, to).map_or(Means::Rebuild, Means::Alter),
            _ => UNKNOWN,
        }
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        attached(it, self.partition.as_deref())
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        let drop = format!("drop {}", it.names.reference(it.address())).into();
        // A key that refers to the whole keeps a partition.
        match it.side.partitioned(it.object).filter(|_| is_referred_to(it)) {
            Some(parent) => {
                let parent = it.names.whole(&parent.address);
                vec![format!("alter table {parent} detach partition {}", it.name()).into(), drop]
            }
            None => vec![drop],
        }
    }
}

/// Whether a foreign key refers to a table that this one is a partition of.
fn is_referred_to(it: It<'_, '_>) -> bool {
    let mut above = iter::successors(it.side.partitioned(it.object), |parent| it.side.partitioned(parent));
    above.any(|table| it.side.keys_to(&table.address).next().is_some())
}

impl Managed for ForeignTable {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let sql = format!(
            "create foreign table {}{}{} server {}{}",
            it.name(),
            elements(it, false),
            inherits(it),
            it.quoted(&self.server),
            foreign_options(&self.options)
        );
        vec![sql.into()]
    }

    fn set(&self, attribute: &str, old: Option<&ForeignTable>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        match (attribute, old) {
            ("options", Some(old)) => {
                Some(change_foreign_options(&it.alter(), "", &old.options, &self.options))
            }
            _ => None,
        }
    }

    fn change(&self, _: &ForeignTable, attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
        match attribute {
            "server" => Means::Rebuild,
            "partition" | "inherits" => change_parentage(attribute, from, to),
            _ => UNKNOWN,
        }
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        attached(it, self.partition.as_deref())
    }
}

/// The columns and constraints of a table in parentheses. Of a typed table, the columns come from the type.
fn elements(it: It<'_, '_>, typed: bool) -> String {
    let mut columns: Vec<&Object> =
        it.inline_objects().filter(|it| it.address.kind == Kind::Column).collect();
    columns.sort_by_key(|column| column.position());
    let width = columns.iter().map(|column| it.with(column).name().chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> = Vec::new();
    for object in columns {
        if let Body::Column(column) = &object.body
            && (!side::is_inherited(object) || it.object.is_partition())
        {
            let it = it.with(object);
            let element = column::element(column, it, typed);
            lines.extend(element.map(|element| match element.strip_prefix(&it.name()) {
                Some(rest) if !typed => format!("{:width$}{rest}", it.name()),
                _ => element,
            }));
        }
    }
    let constraints = it.inline_objects().filter_map(|object| match &object.body {
        Body::Constraint(body) => Some((place(&body.sort), constraint::definition(body, it.with(object)))),
        Body::NotNull(body) => {
            Some((place("not null"), constraint::not_null_definition(body, it.with(object))))
        }
        _ => None,
    });
    let mut constraints: Vec<(usize, String)> = constraints.collect();
    constraints.sort_by_key(|(place, _)| *place);
    lines.extend(constraints.into_iter().map(|(_, constraint)| constraint));
    match (lines.is_empty(), typed) {
        (true, true) => String::new(),
        (true, false) => " ()".to_owned(),
        _ => format!(" (\n    {}\n)", lines.join(",\n    ")),
    }
}

/// The place of a sort of constraint among the others of its table, as people write them.
fn place(sort: &str) -> usize {
    const ORDER: [&str; 4] = ["not null", "primary key", "unique", "foreign key"];
    ORDER.iter().position(|it| *it == sort).unwrap_or(ORDER.len())
}

fn inherits(it: It<'_, '_>) -> String {
    let parents = ordered_parents(it);
    let none = parents.is_empty() || it.object.is_partition();
    if none { String::new() } else { format!(" inherits ({})", parents.join(", ")) }
}

/// The names of the parents in the order that counts, as the server prints them.
fn ordered_parents(it: It<'_, '_>) -> Vec<String> {
    match &it.object.body {
        Body::Table(table) => table.inherits.clone(),
        Body::ForeignTable(table) => table.inherits.clone(),
        _ => Vec::new(),
    }
}

/// Leaves and joins parents. Their order counts, and what was inherited once would be declared in a table that joins again.
fn change_parents(from: It<'_, '_>, to: It<'_, '_>) -> Means {
    let (old, new) = (ordered_parents(from), ordered_parents(to));
    let (kept, gone): (Vec<&String>, Vec<&String>) = old.iter().partition(|parent| new.contains(parent));
    if kept.iter().zip(&new).any(|(one, other)| *one != other) {
        return Means::Rebuild;
    }
    let is_kept = |parent: &Object| from.side.parents(from.object).any(|it| it.address == parent.address);
    let kept_parents: Vec<&Object> = to.side.parents(to.object).filter(|it| is_kept(it)).collect();
    let stays = |part: &Object| {
        kept_parents.iter().any(|parent| {
            let address = Address {
                part: part.address.part.clone(),
                kind: part.address.kind,
                ..parent.address.clone()
            };
            from.side.get(&address).is_some() && to.side.get(&address).is_some()
        })
    };
    let inherited = to.side.parts(to.address()).filter(|part| side::is_inherited(part));
    if new.len() > kept.len() && inherited.into_iter().any(|part| !stays(part)) {
        return Means::Rebuild;
    }
    let alter = to.alter();
    let left = gone.iter().map(|parent| format!("{alter} no inherit {parent}").into());
    let joined = new.iter().skip(kept.len()).map(|parent| format!("{alter} inherit {parent}").into());
    Means::Alter(left.chain(joined).collect())
}

/// Leaves the type of the rows and takes another one. `None` if the columns would have another order than that.
pub(crate) fn change_type_of_rows(from: It<'_, '_>, to: It<'_, '_>) -> Option<Vec<Sql>> {
    let of_type = |it: It<'_, '_>| match &it.object.body {
        Body::Table(table) => table.of_type.clone(),
        _ => None,
    };
    let left = of_type(from).map(|_| format!("{} not of", to.alter()).into());
    let joined = of_type(to).map(|of_type| format!("{} of {of_type}", to.alter()).into());
    let fits = joined.is_none() || keeps_order(from, to);
    fits.then(|| left.into_iter().chain(joined).collect())
}

/// Whether the columns have the order of the new table after some are dropped and others added.
fn keeps_order(from: It<'_, '_>, to: It<'_, '_>) -> bool {
    let names = |it: It<'_, '_>| -> Vec<String> {
        it.side.catalogue.columns(it.address()).into_iter().map(|it| it.address.part.clone()).collect()
    };
    let (old, new) = (names(from), names(to));
    let kept = old.iter().filter(|name| new.contains(name));
    kept.zip(&new).all(|(one, other)| one == other)
}

/// A partition becomes an ordinary child or the other way round, or one of them gets other parents.
fn change_parentage(attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
    match (from.object.is_partition(), to.object.is_partition()) {
        (false, false) => return change_parents(from, to),
        (true, true) => return Means::Facet(ATTACHED),
        _ if attribute == "inherits" => return Means::Follows,
        _ => {}
    }
    let alter = to.alter();
    let parents = |it: It<'_, '_>| if it.object.is_partition() { Vec::new() } else { ordered_parents(it) };
    let left = parents(from).into_iter().map(|parent| format!("{alter} no inherit {parent}").into());
    let joined: Vec<Sql> =
        parents(to).into_iter().map(|parent| format!("{alter} inherit {parent}").into()).collect();
    // A column that was attached with its table is declared in it from then on.
    if !joined.is_empty() && to.side.catalogue.columns(to.address()).into_iter().any(side::is_inherited) {
        return Means::Rebuild;
    }
    Means::AlterWithout(left.chain(joined).collect(), ATTACHED)
}

fn attached(it: It<'_, '_>, bounds: Option<&str>) -> Vec<Facet> {
    let (Some(bounds), Some(parent)) = (bounds, it.side.partitioned(it.object)) else { return Vec::new() };
    let (parent, name) = (it.names.whole(&parent.address), it.name());
    let takes = |need: &Need| {
        need.strength == Strength::Automatic && matches!(need.on.kind, Kind::Table | Kind::ForeignTable)
    };
    let set: Sql = format!("alter table only {parent} attach partition {name} {bounds}").into();
    let unset = format!("alter table {parent} detach partition {name}").into();
    // Attached, a refusal of null is the parent's alone; added once more, it is declared here too.
    let refusals = it.side.catalogue.parts(Kind::NotNull, it.address());
    let declared_here = refusals.filter_map(|part| match &part.body {
        Body::NotNull(body) if body.declared_here => {
            let definition = constraint::not_null_definition(body, it.with(part));
            Some(format!("alter table only {name} add {definition}").into())
        }
        _ => None,
    });
    vec![Facet {
        name: ATTACHED,
        set: iter::once(set.with(Hazard::Scan)).chain(declared_here).collect(),
        unset: Some(vec![unset]),
        inline: false,
        replaces: false,
        takes,
        completes: false,
    }]
}

/// `index` is set by the index.
pub(super) fn replica_identity(alter: &str, value: Option<&str>) -> Vec<Sql> {
    match value {
        Some("index") => Vec::new(),
        value => vec![format!("{alter} replica identity {}", value.unwrap_or("default")).into()],
    }
}

pub(super) fn set_tablespace(alter: &str, tablespace: Option<&str>, it: It<'_, '_>) -> Vec<Sql> {
    let sql: Sql = format!("{alter} set tablespace {}", it.quoted(tablespace.unwrap_or("pg_default"))).into();
    vec![sql.with(Hazard::Rewrite)]
}
