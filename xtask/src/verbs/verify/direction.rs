//! Checks the direction rule: every object that a migration changed in the catalogue belongs to its own app or to an app
//! that this one depends on, and needs only tables of these.

use std::collections::BTreeMap;

use catalogue::{Catalogue, Object};
use migrations::{App, Migration, Owners, Project};

use crate::database::differences::{self, MADE};

/// Lists the tables that a migration changed and its app may not touch, each with the change.
pub(super) fn trespasses(
    project: &Project,
    migration: &Migration,
    before: &Catalogue,
    after: &Catalogue,
) -> Vec<String> {
    let owners = [before, after].map(|schema| (schema, Owners::new(schema, project)));
    let mut found = Vec::new();
    for difference in &differences::real(before, after) {
        let objects = owners.iter().filter_map(|it| Some((it, it.0.get(&difference.address)?)));
        let touched: BTreeMap<&str, &App> = objects
            .flat_map(|((schema, owners), object)| tables(schema, object).map(move |table| (owners, table)))
            .filter_map(|(owners, table)| owners.owner(table))
            .map(|(owner, table)| (table, owner))
            .collect();
        for (table, owner) in touched.into_iter().filter(|(_, owner)| !may_touch(project, migration, owner)) {
            found.push(format!(
                "{} touches table {table} of app `{}`, which `depends-on` of `{}` does not list:",
                migration.id, owner.name, migration.id.app
            ));
            found.extend(
                differences::line(before, after, difference, MADE)
                    .into_iter()
                    .map(|line| format!("  {line}")),
            );
        }
    }
    found
}

/// The tables that an object is, belongs to, or needs.
fn tables<'c>(schema: &'c Catalogue, object: &'c Object) -> impl Iterator<Item = &'c Object> {
    let needed = object.needs.iter().map(|need| &*need.on);
    [&object.address].into_iter().chain(needed).filter_map(|address| schema.table_of(address))
}

fn may_touch(project: &Project, migration: &Migration, owner: &App) -> bool {
    let app = project.apps.iter().find(|app| app.name == migration.id.app);
    owner.name == migration.id.app || app.is_some_and(|app| app.depends_on.contains(&owner.name))
}
