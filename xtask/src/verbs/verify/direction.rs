//! Checks the direction rule: every object that a migration changed in the catalogue belongs to its own app or to an app
//! that this one depends on, and needs only tables of these.

use std::collections::BTreeSet;

use catalogue::{Address, Catalogue, Kind};
use migrations::{App, Migration, Project};

use crate::database::{
    differences::{self, MADE},
    schema,
};

/// Lists the tables that a migration changed and its app may not touch, each with the change.
pub(super) fn trespasses(
    project: &Project,
    migration: &Migration,
    before: &Catalogue,
    after: &Catalogue,
) -> Vec<String> {
    let mut found = Vec::new();
    for difference in &differences::real(before, after) {
        let objects = [before, after].into_iter().filter_map(|it| Some((it, it.get(&difference.address)?)));
        let tables: BTreeSet<Address> = objects
            .flat_map(|(catalogue, object)| {
                schema::tables_of(object).map(move |table| owned(catalogue, table))
            })
            .collect();
        for table in tables.iter().filter(|table| table.schema == "public") {
            let owner = project.apps.iter().find(|app| app.tables.contains(&table.name));
            let Some(owner) = owner.filter(|owner| !may_touch(project, migration, owner)) else { continue };
            found.push(format!(
                "{} touches table {} of app `{}`, which `depends-on` of `{}` does not list:",
                migration.id, table.name, owner.name, migration.id.app
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

/// The table that an app owns: a partition and an inheriting table are owned with their parent.
fn owned(catalogue: &Catalogue, table: Address) -> Address {
    let parent = catalogue.get(&table).and_then(|object| {
        object.needs.iter().map(|need| &*need.on).find(|on| on.kind == Kind::Table && **on != table)
    });
    parent.map_or(table.clone(), |parent| owned(catalogue, parent.clone()))
}

fn may_touch(project: &Project, migration: &Migration, owner: &App) -> bool {
    let app = project.apps.iter().find(|app| app.name == migration.id.app);
    owner.name == migration.id.app || app.is_some_and(|app| app.depends_on.contains(&owner.name))
}
