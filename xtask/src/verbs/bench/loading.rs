//! Measures how long `loaddata` takes for a table that has rows, against psql.

use std::{path::Path, time::Duration};

use duct::Expression;

use crate::verbs::bench::{
    figures::{median, timed},
    project::{Project, migration},
    table::{Goal, Row},
};

/// Each has one row.
const TABLES: u32 = 100;
/// The name of the checkout's folder.
pub(super) const CHECKOUT: &str = "loaded";
/// The name of the database.
pub(super) const DATABASE: &str = "app";

/// Makes a project of one app, which owns these tables.
pub(super) fn project(root: &Path) -> anyhow::Result<()> {
    let mut project = Project::new(root);
    let folder = project.app("loaded", None, tables())?;
    let create = |table: String| format!("create table {table} (id int primary key, note text);\n");
    let drop = |table: String| format!("drop table {table};\n");
    migration(
        &folder,
        1,
        &tables().map(create).collect::<String>(),
        &tables().map(drop).collect::<String>(),
    )?;
    project.finish()
}

fn tables() -> impl Iterator<Item = String> {
    (1..=TABLES).map(|n| format!("t{n}"))
}

/// Statements that leave a row in each table.
pub(super) fn rows() -> String {
    let all: Vec<String> = tables().collect();
    let copies = all.iter().map(|table| format!("copy {table} from stdin;\n1\ta note\n\\.\n"));
    format!("truncate {};\n{}", all.join(", "), copies.collect::<String>())
}

/// Compares the share of a table in a load by us and by psql.
pub(super) fn measure(ours: &Expression, theirs: &Expression, runs: u32) -> anyhow::Result<Row> {
    let mut times: [Vec<Duration>; 2] = Default::default();
    for _ in 0..runs {
        times[0].push(timed(ours)?);
        times[1].push(timed(theirs)?);
    }
    let [ours, theirs] = times.map(|times| median(times) / TABLES);
    let goal = Goal::Longer(Duration::from_millis(3));
    Ok(Row::new("loaddata of 100 tables, each", ours, "psql: the same COPY", theirs, goal))
}
