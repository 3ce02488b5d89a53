//! Checks the direction rule: every object that a migration changed in the catalogue belongs to its own app or to an app
//! that this one depends on, and needs only tables of these.

use std::collections::BTreeMap;

use catalogue::{Catalogue, Object};
use migrations::{App, Migration, MigrationId, Owners, Project};

use crate::{
    database::differences::{self, MADE},
    terminal::output::count,
};

/// How many lines of the changes of one table are shown.
const SHOWN: usize = 3;

/// What a migration did to a table that its app may not touch.
pub(super) struct Trespass {
    migration: MigrationId,
    table: String,
    /// The app that owns the table.
    owner: String,
    lines: Vec<String>,
}

/// Lists the tables that a migration changed and its app may not touch, each with the change.
pub(super) fn trespasses(
    project: &Project,
    migration: &Migration,
    before: &Catalogue,
    after: &Catalogue,
) -> Vec<Trespass> {
    let owners = [before, after].map(|schema| (schema, Owners::new(schema, project)));
    let mut found = Vec::new();
    for difference in &differences::real(before, after) {
        let objects = owners.iter().filter_map(|it| Some((it, it.0.get(&difference.address)?)));
        let touched: BTreeMap<&str, &App> = objects
            .flat_map(|((schema, owners), object)| tables(schema, object).map(move |table| (owners, table)))
            .filter_map(|(owners, table)| owners.owner(table))
            .map(|(owner, table)| (table, owner))
            .collect();
        let foreign =
            touched.into_iter().filter(|(table, owner)| !may_touch(project, migration, table, owner));
        for (table, owner) in foreign {
            found.push(Trespass {
                migration: migration.id.clone(),
                table: table.to_owned(),
                owner: owner.name.clone(),
                lines: differences::line(before, after, difference, MADE),
            });
        }
    }
    found
}

/// The flaws, one for each table that an app touches.
pub(super) fn flaws(trespasses: Vec<Trespass>) -> Vec<String> {
    let mut tables: BTreeMap<(String, String), Vec<Trespass>> = BTreeMap::new();
    for trespass in trespasses {
        let of = (trespass.migration.app.clone(), trespass.table.clone());
        tables.entry(of).or_default().push(trespass);
    }
    let mut flaws = Vec::new();
    for ((app, table), all) in tables {
        let mut migrations: Vec<&MigrationId> = all.iter().map(|it| &it.migration).collect();
        migrations.dedup();
        let touch = match migrations.len() {
            1 => format!("{} touches", migrations[0]),
            n => format!("{} and {} touch", migrations[0], count(n - 1, "more migration", "more migrations")),
        };
        let owner = &all[0].owner;
        flaws.push(format!(
            "{touch} table {table} of app `{owner}`, which `depends-on` of `{app}` does not list:"
        ));
        let lines: Vec<&String> = all.iter().flat_map(|it| &it.lines).collect();
        flaws.extend(lines.iter().take(SHOWN).map(|line| format!("  {line}")));
        if lines.len() > SHOWN {
            flaws.push(format!("  … and {}", count(lines.len() - SHOWN, "more line", "more lines")));
        }
    }
    flaws
}

/// The tables that an object is, belongs to, or needs.
fn tables<'c>(schema: &'c Catalogue, object: &'c Object) -> impl Iterator<Item = &'c Object> {
    let needed = object.needs.iter().map(|need| &*need.on);
    [&object.address].into_iter().chain(needed).filter_map(|address| schema.table_of(address))
}

/// Whether the app of a migration may touch a table of its owner now, or of an app that owned it before.
fn may_touch(project: &Project, migration: &Migration, table: &str, owner: &App) -> bool {
    let app = |name: &str| project.apps.iter().find(|app| app.name == name);
    let depends_on = app(&migration.id.app).map(|app| app.depends_on.as_slice()).unwrap_or_default();
    let mut owners = vec![owner];
    while let Some(earlier) =
        owners.last().and_then(|owner| owner.moved.get(table)).and_then(|name| app(name))
    {
        if owners.iter().any(|owner| owner.name == earlier.name) {
            break;
        }
        owners.push(earlier);
    }
    owners.iter().any(|owner| owner.name == migration.id.app || depends_on.contains(&owner.name))
}
