//! Types that are no table's, and collations.

use catalogue::{
    BaseType, Body, Collation, CompositeType, Domain, DomainConstraint, DomainNotNull, Enum, Kind, Object,
    Range,
};

use super::column;
use crate::{
    it::It,
    managed::{Managed, UNKNOWN},
    means::{COMPLETE, Facet, Means},
    side::literal,
    statement::Sql,
};

impl Managed for Enum {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let labels: Vec<String> = self.labels.iter().map(|label| literal(label)).collect();
        vec![format!("create type {} as enum ({})", it.name(), labels.join(", ")).into()]
    }

    fn change(&self, old: &Enum, attribute: &str, _: It<'_, '_>, to: It<'_, '_>) -> Means {
        match attribute {
            "labels" => added(&old.labels, &self.labels, &to.name()).map_or(Means::Rebuild, Means::Alter),
            _ => UNKNOWN,
        }
    }
}

/// The statements that add values to an enumeration. `None` if some are gone or stand in another order.
fn added(old: &[String], new: &[String], name: &str) -> Option<Vec<Sql>> {
    let mut rest = old.iter().peekable();
    let mut sql: Vec<Sql> = Vec::new();
    for (at, label) in new.iter().enumerate() {
        if rest.next_if_eq(&label).is_some() {
            continue;
        }
        let place = match (at.checked_sub(1).and_then(|at| new.get(at)), rest.peek()) {
            (_, None) => String::new(),
            (Some(before), _) => format!(" after {}", literal(before)),
            (None, Some(next)) => format!(" before {}", literal(next)),
        };
        sql.push(format!("alter type {name} add value {}{place}", literal(label)).into());
    }
    sql.iter_mut().for_each(|it| it.commit_after = true);
    rest.next().is_none().then_some(sql)
}

impl Managed for Domain {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let mut sql = format!("create domain {} as {}", it.name(), self.data_type);
        if let Some(collation) = &self.collation {
            sql += &format!(" collate {collation}");
        }
        if let Some(default) = &self.default {
            sql += &format!(" default {default}");
        }
        if self.not_null && !has_named_not_null(it) {
            sql += " not null";
        }
        for object in it.inline_objects() {
            sql += &format!(" {}", part(object, it.with(object)));
        }
        vec![sql.into()]
    }

    fn change(&self, _: &Domain, attribute: &str, _: It<'_, '_>, to: It<'_, '_>) -> Means {
        let alter = to.alter();
        match attribute {
            "data_type" | "collation" => Means::Rebuild,
            "default" => Means::alter(match &self.default {
                Some(default) => format!("{alter} set default {default}"),
                None => format!("{alter} drop default"),
            }),
            "not_null" if has_named_not_null(to) => Means::Follows,
            "not_null" => {
                Means::alter(format!("{alter} {} not null", if self.not_null { "set" } else { "drop" }))
            }
            _ => UNKNOWN,
        }
    }
}

/// Whether a constraint with a name of its own says that a domain refuses null.
fn has_named_not_null(it: It<'_, '_>) -> bool {
    it.side.catalogue.major() >= 17
}

/// A constraint as it stands in `create domain`.
fn part(object: &Object, it: It<'_, '_>) -> String {
    match &object.body {
        Body::DomainConstraint(body) => format!("constraint {} check ({})", it.name(), body.check),
        _ => format!("constraint {} not null", it.name()),
    }
}

impl Managed for DomainConstraint {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let valid = if self.not_valid { " not valid" } else { "" };
        vec![format!("{} add {}{valid}", it.alter(), part(it.object, it)).into()]
    }

    fn change(&self, _: &DomainConstraint, attribute: &str, _: It<'_, '_>, to: It<'_, '_>) -> Means {
        match attribute {
            "not_valid" if !self.not_valid => {
                Means::alter(format!("{} validate constraint {}", to.alter(), to.name()))
            }
            "check" | "not_valid" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("{} drop constraint {}", it.alter(), it.name()).into()]
    }
}

impl Managed for DomainNotNull {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("{} add {}", it.alter(), part(it.object, it)).into()]
    }

    fn change(&self, _: &DomainNotNull, _: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        UNKNOWN
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("{} drop constraint {}", it.alter(), it.name()).into()]
    }
}

impl Managed for CompositeType {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let mut attributes: Vec<(i16, String)> = Vec::new();
        for object in it.inline_objects() {
            if let Body::Column(body) = &object.body {
                let element = column::element(body, it.with(object), false);
                attributes.extend(element.map(|element| (body.position.0, element)));
            }
        }
        attributes.sort();
        let attributes: Vec<String> = attributes.into_iter().map(|(_, it)| it).collect();
        vec![format!("create type {} as ({})", it.name(), attributes.join(", ")).into()]
    }

    fn change(&self, _: &CompositeType, _: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        UNKNOWN
    }
}

impl Managed for Range {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let mut options = vec![format!("subtype = {}", self.subtype)];
        for (name, value) in [
            ("subtype_opclass", &self.operator_class),
            ("collation", &self.collation),
            ("canonical", &self.canonical),
            ("subtype_diff", &self.subtype_diff),
            ("multirange_type_name", &Some(self.multirange.clone())),
        ] {
            options.extend(value.as_ref().map(|value| format!("{name} = {value}")));
        }
        vec![format!("create type {} as range ({})", it.name(), options.join(", ")).into()]
    }

    fn change(&self, _: &Range, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "subtype" | "operator_class" | "collation" | "canonical" | "subtype_diff" | "multirange" => {
                Means::Rebuild
            }
            _ => UNKNOWN,
        }
    }
}

impl Managed for BaseType {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("create type {}", it.name()).into()]
    }

    fn change(&self, old: &BaseType, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "shell" | "functions" | "options" | "default" if old.shell => Means::Facet(COMPLETE),
            "shell" | "functions" | "options" | "default" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        if self.shell {
            return Vec::new();
        }
        vec![Facet {
            name: COMPLETE,
            set: vec![whole_type(self, it).into()],
            unset: None,
            inline: false,
            replaces: false,
            takes: |need| need.on.kind == Kind::Function,
            completes: true,
        }]
    }

    /// Nothing else drops a type that its functions need: they go away with it, and all other users have been dropped.
    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        let cascade = if self.shell { "" } else { " cascade" };
        vec![format!("drop type {}{cascade}", it.name()).into()]
    }
}

fn whole_type(body: &BaseType, it: It<'_, '_>) -> String {
    const FUNCTIONS: [&str; 8] =
        ["input", "output", "receive", "send", "typmod_in", "typmod_out", "analyze", "subscript"];
    let functions = FUNCTIONS.iter().zip(&body.functions).filter(|(_, function)| *function != "-");
    let mut options: Vec<String> = functions.map(|(name, function)| format!("{name} = {function}")).collect();
    options.extend(body.options.0.iter().filter_map(|option| {
        let (name, value) = option.split_once('=')?;
        Some(match (name, value) {
            ("length", "-1") => "internallength = variable".to_owned(),
            ("length", length) => format!("internallength = {length}"),
            ("by value", "true") => "passedbyvalue".to_owned(),
            ("alignment", "c") => "alignment = char".to_owned(),
            ("alignment", "s") => "alignment = int2".to_owned(),
            ("alignment", "d") => "alignment = double".to_owned(),
            ("alignment", _) => "alignment = int4".to_owned(),
            ("storage", "p") => "storage = plain".to_owned(),
            ("storage", "e") => "storage = external".to_owned(),
            ("storage", "m") => "storage = main".to_owned(),
            ("storage", _) => "storage = extended".to_owned(),
            ("category" | "delimiter", value) => format!("{name} = {}", literal(value)),
            ("element", "-") | ("by value", _) => return None,
            _ => format!("{name} = {value}"),
        })
    }));
    options.extend(body.default.as_ref().map(|default| format!("default = {}", literal(default))));
    format!("create type {} ({})", it.name(), options.join(", "))
}

impl Managed for Collation {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let mut options = vec![format!("provider = {}", self.provider)];
        if let Some((collate, ctype)) = self.libc_locale.as_deref().and_then(|it| it.split_once(' ')) {
            options.push(format!("lc_collate = {}, lc_ctype = {}", literal(collate), literal(ctype)));
        }
        options.extend(self.locale.as_ref().map(|locale| format!("locale = {}", literal(locale))));
        options.extend(self.rules.as_ref().map(|rules| format!("rules = {}", literal(rules))));
        if self.nondeterministic {
            options.push("deterministic = false".to_owned());
        }
        vec![format!("create collation {} ({})", it.name(), options.join(", ")).into()]
    }

    fn change(&self, _: &Collation, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "provider" | "libc_locale" | "locale" | "rules" | "nondeterministic" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

/// The kinds that are types: their columns can be moved from one to another of the same name.
pub(crate) fn is_type(kind: Kind) -> bool {
    matches!(kind, Kind::Enum | Kind::Domain | Kind::CompositeType | Kind::Range)
}

/// Gives a type another name, so that its successor can have the old one.
pub(crate) fn set_aside(it: It<'_, '_>) -> (Vec<Sql>, Vec<Sql>) {
    let old = format!("{} (old)", it.address().name);
    let schema = it.quoted(&it.address().schema);
    let aside = it.quoted(&old);
    let words = crate::side::words(it.address().kind);
    let mut renamed: Vec<Sql> = vec![format!("{} rename to {aside}", it.alter()).into()];
    if let Body::Range(range) = &it.object.body {
        let multirange = it.quoted(&format!("{} multirange (old)", it.address().name));
        // The functions that come with it and have the same arguments as its successor's.
        let (subtype, name) = (&range.subtype, it.name());
        let functions = [
            (format!("{name}({subtype}, {subtype})"), &aside),
            (format!("{name}({subtype}, {subtype}, text)"), &aside),
            (format!("{}()", range.multirange), &multirange),
        ];
        let functions =
            functions.map(|(function, to)| format!("alter function {function} rename to {to}").into());
        renamed.splice(0..0, functions);
        renamed.push(format!("alter type {} rename to {multirange}", range.multirange).into());
    }
    (renamed, vec![format!("drop {words} {schema}.{aside}").into()])
}
