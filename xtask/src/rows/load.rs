//! Loads a dump in one transaction. The rows become exactly what they were when dumped, and Postgres checks every constraint.

mod blame;
mod copying;
mod fit;
mod unchecked;

use std::{collections::BTreeSet, io::Seek};

use anyhow::Context;
use catalogue::{Catalogue, ROWS_AS_TEXT, set_local};
use migrations::{Error, Project};
use sqlx::{Connection, PgConnection};

use self::copying::{Copied, copy, defer};
pub(crate) use self::copying::{Fit, Source};
use crate::{
    database::{schema, sql::quoted},
    rows::{
        dump::{self, DumpedTable, Files},
        emptying::{self, Triggers},
        found,
        locking::{self, Others},
        sequences,
        tables::{self, ForeignKey, Table, TableRows},
    },
    terminal::{
        exit::Stop,
        output::{Steps, timed},
    },
};

/// What to do with rows that the tables hold already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExistingRows {
    /// Refuse to load.
    Refuse,
    /// Remove them first.
    Replace,
}

/// What a load did.
pub(crate) struct Loaded {
    /// How many rows each table has now.
    pub(crate) tables: Vec<TableRows>,
    /// The constraints that are not valid, and were not checked: `constraint positive of table fees`.
    pub(crate) unchecked: Vec<String>,
    /// What of the dump has no place here, and what is here and not in the dump.
    pub(crate) not_fitting: Vec<String>,
}

/// Loads a dump.
pub(crate) async fn load(
    conn: &mut PgConnection,
    project: &Project,
    source: &Source<'_>,
    existing: ExistingRows,
    steps: &mut Steps,
) -> anyhow::Result<Loaded> {
    let failed = || Error::database("load the dump");
    let mut dump = source.dump.clone();
    let names: BTreeSet<String> = source.dump.tables.iter().map(|table| table.table.clone()).collect();
    let mut transaction = conn.begin().await.map_err(failed())?;
    let conn = &mut *transaction;
    let there = locking::existing(conn, &names).await?;
    locking::lock(conn, &there, Others::Wait).await?;
    let schema = schema::read_within(conn, project).await?;
    let tables = found::existing_tables(&schema, project, &names)?;
    let not_fitting = fit::fit(conn, project, &mut dump, &tables, source).await?;
    let source = &Source { dump: &dump, ..*source };
    if tables.is_empty() {
        return Ok(Loaded { tables: Vec::new(), unchecked: Vec::new(), not_fitting });
    }
    read_rows_as_text(conn).await?;
    let restore = emptying::disable_triggers(conn, &schema, &tables, Triggers::ThatMayChangeRows).await?;
    // Before any row changes, because Postgres refuses to alter a table that has deferred checks pending.
    let unchecked = unchecked::drop(conn, &schema, &tables).await?;
    let deferred = forward_keys(&tables);
    for (table, key) in &deferred {
        defer(conn, table, key).await?;
    }
    empty_tables(conn, &schema, &tables, source, existing).await?;
    let mut loaded = Vec::new();
    for table in &tables {
        let Some(dumped) = source.dump.tables.iter().find(|dumped| dumped.table == table.name) else {
            continue;
        };
        steps.doing_part("load", &table.name, loaded.len(), tables.len());
        let (rows, elapsed) = timed(load_table(conn, source, table, dumped)).await;
        let rows = rows?;
        steps.done("load", &table.name, &tables::format_rows(rows), Some(elapsed));
        loaded.push(TableRows { table: table.name.clone(), rows });
    }
    steps.doing("load", "constraints");
    tables::execute(conn, "savepoint before_the_check", "check the constraints").await?;
    if let Err(error) = sqlx::raw_sql("set constraints all immediate").execute(&mut *conn).await {
        return Err(blame::explain_deferred(conn, source, &tables, error).await);
    }
    for (table, key) in &deferred {
        let sql =
            format!("alter table {} alter constraint {} {}", table.sql(), quoted(&key.name), key.timing);
        tables::execute(conn, &sql, "restore the constraints").await?;
    }
    unchecked::restore(conn, &unchecked).await?;
    for statement in restore {
        tables::execute(conn, &statement, "restore the triggers").await?;
    }
    let found = sequences::used_by(&schema, project, &tables);
    for missing in sequences::set(conn, &found, &source.dump.sequences).await? {
        steps.note(&format!("           sequence {} of the dump was not found here", missing.sequence));
    }
    transaction.commit().await.map_err(Error::database(
        "commit the load; all of it was kept or nothing, and the tables show which",
    ))?;
    for note in found::stale_views(&schema) {
        steps.note(&format!("           {note}"));
    }
    let unchecked = unchecked.into_iter().map(|constraint| constraint.what).collect();
    Ok(Loaded { tables: loaded, unchecked, not_fitting })
}

/// Makes values mean what they meant in the dump. Behind the dump's own search path comes the session's, since functions that
/// constraints and columns call may rely on it.
async fn read_rows_as_text(conn: &mut PgConnection) -> anyhow::Result<()> {
    const DOING: &str = "start loading";
    let own: String = sqlx::query_scalar("select current_setting('search_path')")
        .fetch_one(&mut *conn)
        .await
        .map_err(Error::database(DOING))?;
    tables::execute(conn, &set_local(ROWS_AS_TEXT), DOING).await?;
    let both = "select set_config('search_path', concat_ws(', ', current_setting('search_path'), nullif($1, '')), true)";
    sqlx::query(both).bind(own).execute(conn).await.map_err(Error::database(DOING))?;
    Ok(())
}

/// Removes the rows of the tables. Refuses if the caller did not ask for that, or if rows of other tables refer to them.
async fn empty_tables(
    conn: &mut PgConnection,
    schema: &Catalogue,
    tables: &[Table],
    source: &Source<'_>,
    existing: ExistingRows,
) -> anyhow::Result<()> {
    let rows = tables::count_rows(conn, tables).await?;
    if rows.iter().all(|rows| *rows == 0) {
        return Ok(());
    }
    if existing == ExistingRows::Refuse {
        let why = format!(
            "the tables hold rows: {}; nothing was touched\n  to replace them with the rows of the dump: cargo xtask {}",
            tables::list_largest(tables, &rows),
            source.again
        );
        return Err(Stop::Refused(why).into());
    }
    let references = emptying::references(schema, tables);
    let mut dangling = Vec::new();
    for reference in &references {
        let rows = reference.count_rows(conn).await?;
        if rows > 0 {
            dangling.push(format!("\n  {} ({})", reference.what, tables::format_rows(rows)));
        }
    }
    if !dangling.is_empty() {
        let why = format!(
            "rows of tables that are not in the dump refer to rows that would be removed; nothing was touched{}\n  load a \
             dump that has those tables too, or empty them first",
            dangling.concat()
        );
        return Err(Stop::Refused(why).into());
    }
    if references.is_empty() {
        emptying::truncate(conn, tables).await
    } else {
        emptying::delete(conn, tables).await
    }
}

/// Finds the foreign keys to tables that are loaded later. There are some only if tables refer to each other in a cycle.
fn forward_keys(tables: &[Table]) -> Vec<(&Table, &ForeignKey)> {
    let keys = tables.iter().enumerate().flat_map(|(at, table)| {
        let later = &tables[at + 1..];
        let checked = table.foreign_keys.iter().filter(|key| !key.not_valid);
        let keys = checked.filter(|key| later.iter().any(|other| key.refers_to(other)));
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
    tables::execute(conn, "savepoint before_the_table", "load the dump").await?;
    let (rows, lines) = match copy(conn, dumped, table, &mut file, &path).await? {
        Copied::All { rows, lines } => (rows, lines),
        Copied::Refused(error) => {
            file.rewind().with_context(|| format!("read {}", path.display()))?;
            return Err(blame::explain_row(conn, source, table, dumped, &mut file, error).await);
        }
    };
    tables::execute(conn, "release savepoint before_the_table", "load the dump").await?;
    let expected = match source.files {
        Files::Unchanged => dumped.rows,
        Files::Edited => lines,
    };
    // COPY stops reading at a line `\.`, even in the middle of a file.
    if rows != lines || rows != expected {
        anyhow::bail!(
            "{} gave {rows} rows instead of {expected}; nothing was loaded\n  look for a line `\\.` in it, or dump again",
            path.display()
        );
    }
    Ok(rows)
}
