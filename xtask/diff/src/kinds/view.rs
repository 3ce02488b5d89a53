//! Views, materialized views and their rules.

use catalogue::{Body, Column, Kind, MaterializedView, Rule, View};

use super::table;
use crate::{
    it::It,
    managed::{Managed, UNKNOWN, set_state, unended},
    means::{COMPLETE, Facet, Means},
    options::{set_options, with},
    statement::{Hazard, Sql},
};

impl Managed for View {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        if it.makes(COMPLETE, it.object) {
            vec![statement(self, "create view", it).into()]
        } else {
            vec![stub("create view", it).into()]
        }
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        vec![Facet {
            name: COMPLETE,
            set: vec![statement(self, "create or replace view", it).into()],
            unset: Some(vec![stub("create or replace view", it).into()]),
            inline: true,
            replaces: true,
            takes: |need| need.on.kind != Kind::Schema,
            completes: true,
        }]
    }

    fn set(&self, attribute: &str, old: Option<&View>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        match (attribute, old) {
            ("options", Some(old)) => Some(set_options(&it.alter(), Some(&old.options), &self.options)),
            _ => None,
        }
    }

    fn change(&self, _: &View, attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
        match attribute {
            "definition" if begins_with(&columns(to), &columns(from)) => {
                Means::alter(statement(self, "create or replace view", to))
            }
            "definition" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

fn statement(body: &View, verb: &str, it: It<'_, '_>) -> String {
    let query = body.definition.0.as_deref().map(unended).unwrap_or_default();
    format!("{verb} {}{} as\n{query}", it.name(), with(&body.options))
}

/// A view with the same columns that reads nothing.
fn stub(verb: &str, it: It<'_, '_>) -> String {
    let columns = columns(it).into_iter().map(|(name, column)| {
        let collation = column.collation.as_ref().map_or(String::new(), |it| format!(" collate {it}"));
        format!("null::{}{collation} as {}", column.data_type, it.quoted(name))
    });
    format!("{verb} {} as\nselect {}", it.name(), columns.collect::<Vec<String>>().join(", "))
}

/// The columns of a view: only new ones at the end can be added to it.
fn columns<'c>(it: It<'_, 'c>) -> Vec<(&'c str, &'c Column)> {
    let columns = it.side.catalogue.columns(it.address()).into_iter();
    let column = |object: &'c catalogue::Object| match &object.body {
        Body::Column(column) => Some((object.address.part.as_str(), column)),
        _ => None,
    };
    columns.filter_map(column).collect()
}

fn begins_with(all: &[(&str, &Column)], first: &[(&str, &Column)]) -> bool {
    let same = |((name, one), (other_name, other)): (&(&str, &Column), &(&str, &Column))| {
        name == other_name && one.data_type == other.data_type && one.collation == other.collation
    };
    all.len() >= first.len() && all.iter().zip(first).all(same)
}

impl Managed for MaterializedView {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let mut sql = format!("create materialized view {}", it.name());
        if let Some(method) = &self.access_method {
            sql += &format!(" using {}", it.quoted(method));
        }
        sql += &with(&self.options);
        if let Some(tablespace) = &self.tablespace {
            sql += &format!(" tablespace {}", it.quoted(tablespace));
        }
        let query = self.definition.0.as_deref().map(unended).unwrap_or_default();
        let data = if self.unpopulated { "no data" } else { "data" };
        vec![format!("{sql} as\n{query}\nwith {data}").into()]
    }

    fn set(&self, attribute: &str, old: Option<&MaterializedView>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        let alter = it.alter();
        Some(match (attribute, old) {
            ("options", Some(old)) => set_options(&alter, Some(&old.options), &self.options),
            ("tablespace", Some(_)) => table::set_tablespace(&alter, self.tablespace.as_deref(), it),
            ("replica_identity", _) => table::replica_identity(
                &format!("alter table {}", it.name()),
                self.replica_identity.as_deref(),
            ),
            ("unpopulated", Some(_)) => {
                let data = if self.unpopulated { " with no data" } else { "" };
                vec![format!("refresh materialized view {}{data}", it.name()).into()]
            }
            ("access_method", Some(_)) => {
                let method = self.access_method.as_deref().unwrap_or("heap");
                let sql: Sql = format!("{alter} set access method {}", it.quoted(method)).into();
                vec![sql.with(Hazard::Rewrite)]
            }
            _ => return None,
        })
    }

    fn change(&self, _: &MaterializedView, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "definition" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}

impl Managed for Rule {
    fn create(&self, _: It<'_, '_>) -> Vec<Sql> {
        vec![self.definition.0.as_deref().map(unended).unwrap_or_default().into()]
    }

    fn set(&self, attribute: &str, _: Option<&Rule>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        // The word for views is the same here.
        let alter = format!("alter table {}", it.names.whole(it.address()));
        let what = format!("rule {}", it.name());
        (attribute == "state").then(|| set_state(&alter, &what, self.state.as_deref()))
    }

    fn change(&self, _: &Rule, attribute: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        match attribute {
            "definition" | "event" | "instead" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }
}
