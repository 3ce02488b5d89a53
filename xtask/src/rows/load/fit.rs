//! Whether a dump is of the schema that a database has.

use migrations::{Ledger, Project};
use sqlx::PgConnection;

use crate::{
    catalogue::hex,
    rows::{
        dump::{self, Dump, DumpedTable, Migration},
        tables::Table,
    },
    terminal::exit::Stop,
};

/// Refuses a dump of another schema; every difference at once.
pub(crate) async fn must_fit(
    conn: &mut PgConnection,
    project: &Project,
    dump: &Dump,
    tables: &[Table],
) -> anyhow::Result<()> {
    let applied = dump::migrations(&Ledger::read(conn, project).await?);
    let mut differences = migrations(&dump.migrations, &applied);
    for dumped in &dump.tables {
        match tables.iter().find(|table| table.name == dumped.table) {
            Some(table) => differences.extend(columns(dumped, table)),
            None => differences.push(format!("table {} is not here, or no app owns it", dumped.table)),
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    let way = way_back(project, &dump.migrations, &applied);
    let way = way.map_or(String::new(), |way| format!("migrate to where it was: {way}\n  or "));
    Err(Stop::Unfit(format!(
        "the dump is of another schema than this database; nothing was loaded\n  {}\n  {way}dump again what you need",
        differences.join("\n  ")
    ))
    .into())
}

/// The commands that take the database to where the dump was made, if migrations can.
fn way_back(project: &Project, dumped: &[Migration], applied: &[Migration]) -> Option<String> {
    let files = project
        .migrations
        .iter()
        .map(|file| Migration { migration: file.id.to_string(), checksum: hex(file.checksum()) });
    let files: Vec<Migration> = files.collect();
    if !dumped.iter().chain(applied).all(|migration| files.contains(migration)) {
        return None;
    }
    if files.len() == dumped.len() && applied.len() < files.len() {
        return Some("cargo xtask migrate".to_owned());
    }
    let ways = project.apps.iter().filter_map(|app| {
        let of_app =
            |migration: &&Migration| migration.migration.split('/').next() == Some(app.name.as_str());
        let (then, now) = (dumped.iter().filter(of_app), applied.iter().filter(of_app).count());
        let last = project.migrations_of(&app.name).take(then.clone().count()).last();
        let name = last.map_or("zero", |file| file.id.name.as_str());
        (then.count() != now).then(|| format!("cargo xtask migrate {} {name}", app.name))
    });
    let ways: Vec<String> = ways.collect();
    (!ways.is_empty()).then(|| ways.join(" && "))
}

fn migrations(dumped: &[Migration], applied: &[Migration]) -> Vec<String> {
    let in_dump = dumped.iter().filter_map(|migration| {
        let id = &migration.migration;
        match applied.iter().find(|other| other.migration == *id) {
            None => Some(format!("{id} is in the dump, and not applied here")),
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
            only_here
                .map(|migration| format!("{} is applied here, and not in the dump", migration.migration)),
        )
        .collect()
}

/// Columns as a set: where the same migrations ran in another order, so may they.
fn columns(dumped: &DumpedTable, table: &Table) -> Vec<String> {
    let name = &table.name;
    let lost = dumped.columns.iter().filter(|column| !table.columns.contains(column));
    let lost = lost.map(|column| format!("{name}.{} {} of the dump is not here", column.name, column.kind));
    let new = table.columns.iter().filter(|column| !dumped.columns.contains(column));
    let new = new.map(|column| format!("{name}.{} {} here is not in the dump", column.name, column.kind));
    lost.chain(new).collect()
}
