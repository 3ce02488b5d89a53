//! Loading a dump, in one transaction: rows become exactly what they were, and no row gets past a constraint.

mod blame;
mod copying;
mod fit;

use std::{collections::BTreeSet, io::Seek};

use anyhow::Context;
use migrations::{Error, Project};
use sqlx::{Connection, PgConnection};

pub(crate) use self::copying::Source;
use self::copying::{copy, defer};
use crate::{
    database::session::quoted,
    rows::{
        dump::{self, Dump, DumpedTable, SETTINGS},
        emptying::{self, Triggers},
        tables::{self, ForeignKey, Others, Table},
    },
    terminal::{
        exit::Stop,
        output::{Steps, timed},
    },
};

/// Loads, and returns the rows of each table.
pub(crate) async fn load(
    conn: &mut PgConnection,
    project: &Project,
    source: &Source<'_>,
    replace: bool,
    steps: &mut Steps,
) -> anyhow::Result<Vec<(String, u64)>> {
    let failed = || Error::database("load the dump");
    let names: BTreeSet<String> = source.dump.tables.iter().map(|table| table.table.clone()).collect();
    let mut transaction = conn.begin().await.map_err(failed())?;
    let conn = &mut *transaction;
    let tables = tables::read(conn, project, &names).await?;
    fit::must_fit(conn, project, source.dump, &tables).await?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    tables::lock(conn, &tables, Others::Wait).await?;
    tables::run(conn, SETTINGS, "begin to load").await?;
    let back = emptying::stand_down(conn, &tables, Triggers::ThatMayChangeRows).await?;
    // Before rows go: a table with a check that waits for the end can't be altered.
    let waiting = forward_keys(&tables);
    for (table, key) in &waiting {
        defer(conn, table, key).await?;
    }
    empty(conn, &tables, source, replace).await?;
    let mut loaded = Vec::new();
    for table in &tables {
        let Some(dumped) = source.dump.tables.iter().find(|dumped| dumped.table == table.name) else {
            continue;
        };
        steps.doing_part("load", &table.name, loaded.len(), tables.len());
        let (rows, elapsed) = timed(load_table(conn, source, table, dumped)).await;
        let rows = rows?;
        let told = tables::counted(rows);
        steps.done("load", &table.name, &told, Some(elapsed));
        loaded.push((table.name.clone(), rows));
    }
    steps.doing("load", "constraints");
    tables::run(conn, "savepoint before_the_check", "check the constraints").await?;
    if let Err(error) = sqlx::raw_sql("set constraints all immediate").execute(&mut *conn).await {
        return Err(blame::deferred(conn, source, &tables, error).await);
    }
    for (table, key) in &waiting {
        let sql =
            format!("alter table {} alter constraint {} {}", table.sql(), quoted(&key.name), key.timing);
        tables::run(conn, &sql, "put the constraints back").await?;
    }
    for statement in back {
        tables::run(conn, &statement, "put the triggers back").await?;
    }
    set_sequences(conn, source.dump, &tables).await?;
    transaction.commit().await.map_err(failed())?;
    Ok(loaded)
}

/// Makes room, if that was asked for, and if nobody else's rows hang on what goes.
async fn empty(
    conn: &mut PgConnection,
    tables: &[Table],
    source: &Source<'_>,
    replace: bool,
) -> anyhow::Result<()> {
    let rows = tables::rows(conn, tables).await?;
    if rows.iter().all(|rows| *rows == 0) {
        return Ok(());
    }
    let held = tables::told(tables, &rows);
    if !replace {
        let why = format!(
            "the tables hold rows: {held}; nothing was touched\n  to have those of the dump instead: cargo xtask {}",
            source.again
        );
        return Err(Stop::Refused(why).into());
    }
    let references = emptying::references(conn, tables).await?;
    let mut hanging = Vec::new();
    for reference in &references {
        let rows = reference.rows(conn).await?;
        if rows > 0 {
            hanging.push(format!("\n  {} ({})", reference.what, tables::counted(rows)));
        }
    }
    if !hanging.is_empty() {
        let why = format!(
            "rows of tables that are not in the dump refer to what would go; nothing was touched{}\n  load a dump that has \
             those tables too, or empty them first",
            hanging.concat()
        );
        return Err(Stop::Refused(why).into());
    }
    if references.is_empty() {
        emptying::truncate(conn, tables).await
    } else {
        emptying::delete(conn, tables).await
    }
}

/// The foreign keys that lead to tables which are loaded later, because the tables refer to each other in a circle.
fn forward_keys(tables: &[Table]) -> Vec<(&Table, &ForeignKey)> {
    let keys = tables.iter().enumerate().flat_map(|(at, table)| {
        let later = &tables[at + 1..];
        let keys = table.foreign_keys.iter().filter(|key| later.iter().any(|other| key.leads_to(other)));
        keys.map(move |key| (table, key))
    });
    keys.collect()
}

async fn load_table(
    conn: &mut PgConnection,
    source: &Source<'_>,
    table: &Table,
    dumped: &DumpedTable,
) -> anyhow::Result<u64> {
    let path = source.path(dumped);
    let mut file = dump::open(&path)?;
    tables::run(conn, "savepoint before_the_table", "load the dump").await?;
    let (rows, lines) = match copy(conn, dumped, table, &mut file, &path).await? {
        Ok(done) => done,
        Err(error) => {
            file.rewind().with_context(|| format!("read {}", path.display()))?;
            return Err(blame::row(conn, source, table, dumped, &mut file, error).await);
        }
    };
    tables::run(conn, "release savepoint before_the_table", "load the dump").await?;
    // COPY takes a line `\.` for the end.
    if rows != lines || !source.edited && rows != dumped.rows {
        let expected = if source.edited { lines } else { dumped.rows };
        anyhow::bail!(
            "{} gave {rows} rows and not {expected}; nothing was loaded\n  look for a line `\\.` in it, or dump again",
            path.display()
        );
    }
    Ok(rows)
}

/// Sets the sequences to where they were. A restarted one is a new file, so all of it ends with the transaction.
async fn set_sequences(conn: &mut PgConnection, dump: &Dump, tables: &[Table]) -> anyhow::Result<()> {
    for table in tables {
        let dumped = dump.tables.iter().find(|dumped| dumped.table == table.name);
        for sequence in &table.sequences {
            let at =
                dumped.and_then(|dumped| dumped.sequences.iter().find(|at| at.column == sequence.column));
            let Some(at) = at else { continue };
            tables::run(conn, &format!("alter sequence {} restart", sequence.name), "set a sequence").await?;
            let set = sqlx::query("select setval($1::regclass, $2, $3)").bind(&sequence.name);
            let set = set.bind(at.last_value).bind(at.is_called).execute(&mut *conn).await;
            set.map_err(Error::database("set a sequence"))?;
        }
    }
    Ok(())
}
