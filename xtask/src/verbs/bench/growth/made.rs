//! Projects of any size.

use std::{fmt::Write as _, fs, path::Path};

/// A project of this many migrations over some apps. Of two migrations, one makes a table and one alters it; every fifth of
/// an app waits for one of the app before it.
pub(super) fn project(root: &Path, migrations: usize, apps: usize) -> anyhow::Result<()> {
    let mut manifest = String::from("[postgres]\nversion = 15\ndatabase = \"app\"\n");
    for app in 1..=apps {
        let name = format!("app{app}");
        let folder = root.join("migrations").join(&name);
        fs::create_dir_all(&folder)?;
        ledger(&folder, &name)?;
        let each = migrations / apps;
        for number in 1..=each {
            let table = format!("{name}_t{}", number.div_ceil(2));
            let (up, down) = if number % 2 == 1 {
                (format!("create table {table} (id bigint primary key);\n"), format!("drop table {table};\n"))
            } else {
                let alter = |what| format!("alter table {table} {what} column note text;\n");
                (alter("add"), alter("drop"))
            };
            let waits = app > 1 && number % 5 == 0;
            let head = if waits {
                format!("-- depends-on: app{}/{number:04}_made\n", app - 1)
            } else {
                String::new()
            };
            fs::write(folder.join(format!("{number:04}_made.up.sql")), head + &up)?;
            fs::write(folder.join(format!("{number:04}_made.down.sql")), down)?;
        }
        let tables = (1..=each.div_ceil(2)).map(|n| format!("{name}_t{n}"));
        let before = if app > 1 { format!("\"app{}\"", app - 1) } else { String::new() };
        entry(&mut manifest, &name, &before, tables);
    }
    Ok(fs::write(root.join("migrations/apps.toml"), manifest)?)
}

/// A project of one app with one migration, whose up file has this many rows and which owns this many tables.
pub(super) fn large(root: &Path, rows: usize, tables: usize) -> anyhow::Result<()> {
    let folder = root.join("migrations/large");
    fs::create_dir_all(&folder)?;
    ledger(&folder, "large")?;
    let mut up = String::from("create table t1 (id int primary key, note text);\n");
    for row in 1..=rows {
        writeln!(up, "insert into t1 values ({row}, 'a note with ''quotes'' (and words such as commit)');")?;
    }
    fs::write(folder.join("0001_made.up.sql"), up)?;
    fs::write(folder.join("0001_made.down.sql"), "drop table t1;\n")?;
    let mut manifest = String::from("[postgres]\nversion = 15\ndatabase = \"app\"\n");
    entry(&mut manifest, "large", "", (1..=tables).map(|n| format!("t{n}")));
    Ok(fs::write(root.join("migrations/apps.toml"), manifest)?)
}

fn ledger(folder: &Path, app: &str) -> anyhow::Result<()> {
    let toml = format!("[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.{app}\"\n");
    Ok(fs::write(folder.join("sqlx.toml"), toml)?)
}

fn entry(manifest: &mut String, app: &str, depends_on: &str, tables: impl Iterator<Item = String>) {
    let tables: Vec<String> = tables.map(|table| format!("\"{table}\"")).collect();
    *manifest += &format!(
        "\n[[app]]\nname = \"{app}\"\ndepends-on = [{depends_on}]\ntables = [{}]\n",
        tables.join(", ")
    );
}
