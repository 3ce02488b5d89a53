//! Checks that a dump has the schema of the database, or finds what of it has a place there.

use migrations::{Ledger, Project, shell_word};
use sqlx::PgConnection;

use crate::{
    rows::{
        dump::{self, Dump, DumpedTable, Migration},
        load::copying::{Fit, Source},
        tables::Table,
    },
    terminal::exit::Stop,
};

/// Fails if the dump has another schema than the database, and lists every difference. If the user asked for what fits, it
/// takes the rest out of the dump instead, and returns the list.
pub(super) async fn fit(
    conn: &mut PgConnection,
    project: &Project,
    dump: &mut Dump,
    tables: &[Table],
    source: &Source<'_>,
) -> anyhow::Result<Vec<String>> {
    let applied = dump::applied_migrations(&Ledger::read(conn, project).await?);
    let mut differences = migration_differences(&dump.migrations, &applied);
    for dumped in &dump.tables {
        match tables.iter().find(|table| table.name == dumped.table) {
            Some(table) => differences.extend(column_differences(dumped, table)),
            None => {
                differences.push(format!("table {} does not exist here, or no app owns it", dumped.table));
            }
        }
    }
    if differences.is_empty() {
        return Ok(differences);
    }
    if source.fit == Fit::WhatFits {
        dump.tables.retain_mut(|dumped| {
            let Some(table) = tables.iter().find(|table| table.name == dumped.table) else { return false };
            let is_here = |name: &str| table.columns.iter().any(|column| column.name == name);
            let gone = dumped.columns.iter().filter(|column| !is_here(&column.name));
            dumped.left_out = gone.map(|column| column.name.clone()).collect();
            dumped.left_out.len() < dumped.columns.len() || dumped.columns.is_empty()
        });
        return Ok(differences);
    }
    let commands = commands_to_fit(project, &dump.migrations, &applied);
    let way = commands.map_or(String::new(), |way| format!("migrate to where it was: {way}\n  or "));
    Err(Stop::Unfit(format!(
        "the dump does not match the schema of this database; nothing was loaded\n  {}\n  {way}dump again what you need\n  \
         or load the tables and columns that are here: cargo xtask {} --what-fits",
        differences.join("\n  "),
        source.again
    ))
    .into())
}

/// Returns the commands that migrate the database to the state that was dumped, if every migration is in this checkout.
fn commands_to_fit(project: &Project, dumped: &[Migration], applied: &[Migration]) -> Option<String> {
    let files = project
        .migrations
        .iter()
        .map(|file| Migration { migration: file.id.to_string(), checksum: hex::encode(file.checksum()) });
    let files: Vec<Migration> = files.collect();
    if !dumped.iter().chain(applied).all(|migration| files.contains(migration)) {
        return None;
    }
    if files.len() == dumped.len() && applied.len() < files.len() {
        return Some("cargo xtask migrate".to_owned());
    }
    let commands = project.apps.iter().filter_map(|app| {
        let of_app =
            |migration: &&Migration| migration.migration.split('/').next() == Some(app.name.as_str());
        let (then, now) = (dumped.iter().filter(of_app), applied.iter().filter(of_app).count());
        let last = project.migrations_of(&app.name).take(then.clone().count()).last();
        let name = shell_word(last.map_or("zero", |file| file.id.name.as_str()));
        (then.count() != now).then(|| format!("cargo xtask migrate {} {name}", app.name))
    });
    let commands: Vec<String> = commands.collect();
    (!commands.is_empty()).then(|| commands.join(" && "))
}

/// Lists the migrations that only one side has, and those whose files differ.
fn migration_differences(dumped: &[Migration], applied: &[Migration]) -> Vec<String> {
    let in_dump = dumped.iter().filter_map(|migration| {
        let id = &migration.migration;
        match applied.iter().find(|other| other.migration == *id) {
            None => Some(format!("{id} is in the dump but not applied here")),
            Some(other) if other.checksum != migration.checksum => {
                Some(format!("{id} here is not the file that the dump was made with"))
            }
            Some(_) => None,
        }
    });
    let only_here =
        applied.iter().filter(|migration| !dumped.iter().any(|other| other.migration == migration.migration));
    in_dump
        .chain(
            only_here.map(|migration| format!("{} is applied here but not in the dump", migration.migration)),
        )
        .collect()
}

/// Lists the columns that only one side has. Their order may differ, as it does when the same migrations ran in another order.
fn column_differences(dumped: &DumpedTable, table: &Table) -> Vec<String> {
    let name = &table.name;
    let lost = dumped.columns.iter().filter(|column| !table.columns.contains(column));
    let lost =
        lost.map(|column| format!("{name}.{} {} is in the dump but not here", column.name, column.kind));
    let new = table.columns.iter().filter(|column| !dumped.columns.contains(column));
    let new = new.map(|column| format!("{name}.{} {} is here but not in the dump", column.name, column.kind));
    lost.chain(new).collect()
}
