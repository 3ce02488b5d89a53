//! Triggers, policies, statistics, text search, publications and subscriptions.

use catalogue::{
    Configuration, Dictionary, EventTrigger, Kind, Need, Parser, Policy, Publication, Statistics,
    Subscription, Template, Trigger,
};

use crate::{
    it::It,
    managed::{Managed, UNKNOWN, set_state},
    means::{Facet, Means},
    side::literal,
    statement::Sql,
};

impl Managed for Trigger {
    fn create(&self, _: It<'_, '_>) -> Vec<Sql> {
        vec![self.definition.as_str().into()]
    }

    fn set(&self, attribute: &str, _: Option<&Trigger>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        // A trigger of a view is never disabled. `only`: a partition's copy has a state of its own.
        let alter = it.alter_only();
        let what = format!("trigger {}", it.name());
        (attribute == "state").then(|| set_state(&alter, &what, self.state.as_deref()))
    }

    fn change(&self, _: &Trigger, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "definition" | "columns" | "on_truncate" | "constraint" => Means::Rebuild,
            "inherited" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for Policy {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let kind = if self.restrictive { " as restrictive" } else { "" };
        let sql = format!(
            "create policy {} on {}{kind} for {}{}",
            it.name(),
            it.names.whole(it.address()),
            self.command,
            clauses(self, it)
        );
        vec![sql.into()]
    }

    fn change(&self, old: &Policy, attribute: &str, _: It<'_, '_>, to: It<'_, '_>) -> Means {
        let lost = old.using.0.is_some() && self.using.0.is_none()
            || old.check.0.is_some() && self.check.0.is_none();
        match attribute {
            "command" | "restrictive" => Means::Rebuild,
            "using" | "check" if lost => Means::Rebuild,
            "roles" | "using" | "check" => {
                let differing = [
                    ("roles", old.roles != self.roles),
                    ("using", old.using != self.using),
                    ("check", old.check != self.check),
                ];
                let alter = format!("alter policy {} on {}", to.name(), to.names.whole(to.address()));
                Means::joint(attribute, &differing, Means::alter(alter + &clauses(self, to)))
            }
            _ => UNKNOWN,
        }
    }
}

fn clauses(body: &Policy, it: It<'_, '_>) -> String {
    let roles: Vec<String> = body.roles.0.iter().map(|role| it.names.role(role)).collect();
    let mut sql = format!(" to {}", roles.join(", "));
    for (word, expression) in [("using", &body.using), ("with check", &body.check)] {
        if let Some(expression) = &expression.0 {
            sql += &format!(" {word} ({expression})");
        }
    }
    sql
}

impl Managed for Statistics {
    fn create(&self, _: It<'_, '_>) -> Vec<Sql> {
        vec![self.definition.as_str().into()]
    }

    fn set(&self, attribute: &str, _: Option<&Statistics>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        let target = self.target.unwrap_or(-1);
        (attribute == "target").then(|| vec![format!("{} set statistics {target}", it.alter()).into()])
    }

    fn change(&self, _: &Statistics, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "definition" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for Parser {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        const NAMES: [&str; 5] = ["start", "gettoken", "end", "headline", "lextypes"];
        vec![made_of(it, &NAMES, &self.functions)]
    }

    fn change(&self, _: &Parser, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "functions" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for Template {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![made_of(it, &["init", "lexize"], &self.functions)]
    }

    fn change(&self, _: &Template, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "functions" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

/// An object of text search that is made of functions; `-` stands for none.
fn made_of(it: It<'_, '_>, names: &[&str], functions: &[String]) -> Sql {
    let given = names.iter().zip(functions).filter(|(_, function)| *function != "-");
    let options: Vec<String> = given.map(|(name, function)| format!("{name} = {function}")).collect();
    format!("create {} ({})", it.names.reference(it.address()), options.join(", ")).into()
}

impl Managed for Dictionary {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let options = self.options.as_ref().map_or(String::new(), |options| format!(", {options}"));
        vec![
            format!("create {} (template = {}{options})", it.names.reference(it.address()), self.template)
                .into(),
        ]
    }

    fn change(&self, _: &Dictionary, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "template" | "options" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

/// The facet of a configuration that is which dictionaries it asks.
const MAPPED: &str = "mapped";

impl Managed for Configuration {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("create {} (parser = {})", it.names.reference(it.address()), self.parser).into()]
    }

    fn change(&self, _: &Configuration, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "parser" => Means::Rebuild,
            "mappings" => Means::Facet(MAPPED),
            _ => UNKNOWN,
        }
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        if self.mappings.is_empty() {
            return Vec::new();
        }
        let tokens = |mapping: &String| {
            mapping.split_once(' ').map(|(token, rest)| (token.to_owned(), rest.to_owned()))
        };
        let pairs: Vec<(String, String)> = self.mappings.iter().filter_map(tokens).collect();
        let alter = it.alter();
        let set =
            pairs.iter().map(|(token, rest)| format!("{alter} add mapping for {token} with {rest}").into());
        let unset = pairs.iter().map(|(token, _)| format!("{alter} drop mapping for {token}").into());
        let takes = |need: &Need| need.on.kind == Kind::Dictionary;
        vec![Facet {
            name: MAPPED,
            set: set.collect(),
            unset: Some(unset.collect()),
            inline: false,
            replaces: false,
            takes,
            completes: false,
        }]
    }
}

/// The facet of a publication that is what it holds.
const MEMBERS: &str = "members";

impl Managed for Publication {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let all = if self.all_tables { " for all tables" } else { "" };
        vec![format!("create publication {}{all} with ({})", it.name(), options(self, it)).into()]
    }

    fn change(&self, old: &Publication, attribute: &str, _: It<'_, '_>, to: It<'_, '_>) -> Means {
        let differing = [
            ("publishes", old.publishes != self.publishes),
            ("via_root", old.via_root != self.via_root),
            ("generated_columns", old.generated_columns != self.generated_columns),
        ];
        match attribute {
            "all_tables" => Means::Rebuild,
            "tables" | "schemas" => Means::Facet(MEMBERS),
            "publishes" | "via_root" | "generated_columns" => {
                let sql = format!("{} set ({})", to.alter(), options(self, to));
                Means::joint(attribute, &differing, Means::alter(sql))
            }
            _ => UNKNOWN,
        }
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        // The children of a table are members by themselves.
        let members = |tables: &[String]| {
            let tables = tables.iter().map(|table| format!("table only {table}"));
            let schemas = self.schemas.0.iter().map(|schema| format!("tables in schema {schema}"));
            tables.chain(schemas).collect::<Vec<String>>()
        };
        let is_table = |need: &&Need| matches!(need.on.kind, Kind::Table | Kind::ForeignTable);
        let tables: Vec<String> =
            it.object.needs.iter().filter(is_table).map(|need| it.names.whole(&need.on)).collect();
        let (added, dropped) = (members(&self.tables.0), members(&tables));
        if added.is_empty() {
            return Vec::new();
        }
        let alter = it.alter();
        vec![Facet {
            name: MEMBERS,
            set: vec![format!("{alter} add {}", added.join(", ")).into()],
            unset: Some(vec![format!("{alter} drop {}", dropped.join(", ")).into()]),
            inline: false,
            replaces: false,
            takes: |_| true,
            completes: false,
        }]
    }
}

fn options(body: &Publication, it: It<'_, '_>) -> String {
    let mut options =
        format!("publish = '{}', publish_via_partition_root = {}", body.publishes.join(", "), body.via_root);
    // PostgreSQL 18 brought it.
    if it.side.catalogue.major() >= 18 {
        let generated = body.generated_columns.as_deref().unwrap_or("none");
        options += &format!(", publish_generated_columns = {generated}");
    }
    options
}

impl Managed for Subscription {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        // As `pg_dump` does, it does not connect.
        let slot = self.slot.as_deref().map_or("none".to_owned(), literal);
        let mut options = vec!["connect = false".to_owned(), format!("slot_name = {slot}")];
        options.extend(self.options.0.0.iter().filter_map(|option| subscription_option(option)));
        let publications: Vec<String> = self.publications.0.iter().map(|name| it.quoted(name)).collect();
        let connection = self.connection.0.as_deref();
        let unknown = if connection.is_some() { "" } else { "-- only a superuser may read its connection\n" };
        let sql = format!(
            "{unknown}create subscription {} connection {} publication {} with ({})",
            it.name(),
            literal(connection.unwrap_or_default()),
            publications.join(", "),
            options.join(", ")
        );
        vec![sql.into()]
    }

    fn change(&self, old: &Subscription, attribute: &str, _: It<'_, '_>, to: It<'_, '_>) -> Means {
        let alter = to.alter();
        match attribute {
            "enabled" => Means::alter(format!("{alter} {}", if self.enabled { "enable" } else { "disable" })),
            "publications" => {
                let names: Vec<String> = self.publications.0.iter().map(|name| to.quoted(name)).collect();
                Means::alter(format!("{alter} set publication {} with (refresh = false)", names.join(", ")))
            }
            "slot" => {
                let slot = self.slot.as_deref().map_or("none".to_owned(), literal);
                Means::alter(format!("{alter} set (slot_name = {slot})"))
            }
            "connection" => {
                let connection = literal(self.connection.0.as_deref().unwrap_or_default());
                Means::alter(format!("{alter} connection {connection}"))
            }
            "options" => {
                let (before, after) = (&old.options.0.0, &self.options.0.0);
                let changed = || after.iter().filter(|it| !before.contains(it));
                // No transaction can change these, and the slot on the other server would have to follow.
                if changed().any(|it| it.starts_with("two_phase=") || it.starts_with("failover=")) {
                    return Means::Rebuild;
                }
                let set: Vec<String> = changed().filter_map(|it| subscription_option(it)).collect();
                Means::alter(format!("{alter} set ({})", set.join(", ")))
            }
            _ => UNKNOWN,
        }
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        let alter = it.alter();
        let mut sql = Vec::new();
        // With its slot it could be dropped outside of a transaction alone, and with the other server at hand.
        if let Some(slot) = &self.slot {
            if self.enabled {
                sql.push(format!("{alter} disable"));
            }
            let name: String = slot.chars().filter(|it| !it.is_control()).collect();
            sql.push(format!("-- the slot {name} stays on the other server\n{alter} set (slot_name = none)"));
        }
        sql.push(format!("drop {}", it.names.reference(it.address())));
        sql.into_iter().map(Sql::from).collect()
    }
}

/// `streaming = off`, of what a catalogue has of an option.
fn subscription_option(option: &str) -> Option<String> {
    let (name, value) = option.split_once('=')?;
    let value = match (name, value) {
        ("streaming", "f") => "off",
        ("streaming", "t") => "on",
        ("streaming", "p") => "parallel",
        (_, value) => value,
    };
    Some(format!("{name} = {value}"))
}

impl Managed for EventTrigger {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let mut sql = format!("create event trigger {} on {}", it.name(), self.event);
        if !self.tags.0.is_empty() {
            let tags: Vec<String> = self.tags.0.iter().map(|tag| literal(tag)).collect();
            sql += &format!(" when tag in ({})", tags.join(", "));
        }
        vec![format!("{sql} execute function {}()", self.function).into()]
    }

    fn set(&self, attribute: &str, _: Option<&EventTrigger>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        (attribute == "state").then(|| set_state(&it.alter(), "", self.state.as_deref()))
    }

    fn change(&self, _: &EventTrigger, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "event" | "function" | "tags" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}
