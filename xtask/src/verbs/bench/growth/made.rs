//! Projects of any size.

use std::{fmt::Write as _, path::Path};

use crate::verbs::bench::project::{Project, migration};

/// A project of this many migrations over some apps. Of two migrations, one makes a table and one alters it; every fifth of
/// an app waits for one of the app before it.
pub(super) fn project(root: &Path, migrations: usize, apps: usize) -> anyhow::Result<()> {
    let mut project = Project::new(root);
    for app in 1..=apps {
        let (name, before) = (format!("app{app}"), format!("app{}", app - 1));
        let each = migrations / apps;
        let tables = (1..=each.div_ceil(2)).map(|n| format!("{name}_t{n}"));
        let folder = project.app(&name, (app > 1).then_some(before.as_str()), tables)?;
        for number in 1..=each {
            let table = format!("{name}_t{}", number.div_ceil(2));
            let (up, down) = if number % 2 == 1 {
                (format!("create table {table} (id bigint primary key);\n"), format!("drop table {table};\n"))
            } else {
                let alter = |what| format!("alter table {table} {what} column note text;\n");
                (alter("add"), alter("drop"))
            };
            let waits = app > 1 && number % 5 == 0;
            let head =
                if waits { format!("-- depends-on: {before}/{number:04}_made\n") } else { String::new() };
            migration(&folder, number, &(head + &up), &down)?;
        }
    }
    project.finish()
}

/// A project of one app with one migration, whose up file has this many rows and which owns this many tables.
pub(super) fn large(root: &Path, rows: usize, tables: usize) -> anyhow::Result<()> {
    let mut project = Project::new(root);
    let folder = project.app("large", None, (1..=tables).map(|n| format!("t{n}")))?;
    let mut up = String::from("create table t1 (id int primary key, note text);\n");
    for row in 1..=rows {
        writeln!(up, "insert into t1 values ({row}, 'a note with ''quotes'' (and words such as commit)');")?;
    }
    migration(&folder, 1, &up, "drop table t1;\n")?;
    project.finish()
}
