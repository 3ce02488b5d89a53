//! Measures how long `loaddata` takes for a table that has rows, against psql.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use anyhow::Context;
use duct::Expression;

use crate::verbs::bench::{
    figures::{median, timed},
    table::{Goal, Row},
};

/// Each has one row.
const TABLES: u32 = 100;
/// The name of the database, and of the app.
pub(super) const NAME: &str = "loaded";

/// Makes a project of one app, which owns these tables.
pub(super) fn project(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("migrations").join(NAME);
    fs::create_dir_all(&folder)?;
    let (mut up, mut down, mut tables) = (String::new(), String::new(), Vec::new());
    for n in 1..=TABLES {
        writeln!(up, "create table t{n} (id int primary key, note text);")?;
        writeln!(down, "drop table t{n};")?;
        tables.push(format!("\"t{n}\""));
    }
    fs::write(folder.join("0001_made.up.sql"), up)?;
    fs::write(folder.join("0001_made.down.sql"), down)?;
    let ledger =
        format!("[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.{NAME}\"\n");
    fs::write(folder.join("sqlx.toml"), ledger)?;
    let manifest = format!(
        "[postgres]\nversion = 15\ndatabase = \"{NAME}\"\n\n[[app]]\nname = \"{NAME}\"\ndepends-on = []\ntables = [{}]\n",
        tables.join(", ")
    );
    fs::write(root.join("migrations/apps.toml"), manifest).context("write a project")
}

/// Statements that leave a row in each table.
pub(super) fn rows() -> String {
    let all: Vec<String> = (1..=TABLES).map(|n| format!("t{n}")).collect();
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
