//! Copies one file of a dump into its table.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::Context;
use migrations::Error;
use sqlx::PgConnection;

use crate::{
    database::sql::quoted,
    rows::{
        dump::{Dump, DumpedTable, Files, Tally},
        tables::{self, ForeignKey, Table},
    },
};

/// The dump to load.
pub(crate) struct Source<'d> {
    pub(crate) dump: &'d Dump,
    pub(crate) folder: &'d Path,
    /// Whether the number of rows may differ from the recorded one.
    pub(crate) files: Files,
    /// The command that replaces the rows of the tables, without `cargo xtask`.
    pub(crate) again: &'d str,
}

impl Source<'_> {
    pub(super) fn path(&self, table: &DumpedTable) -> PathBuf {
        self.folder.join(&table.file)
    }
}

/// What became of the rows of a file.
pub(super) enum Copied {
    /// Postgres took `rows` rows from the `lines` lines of the file.
    All { rows: u64, lines: u64 },
    /// Postgres refused a row, and with it all of the file.
    Refused(sqlx::Error),
}

/// Defers a foreign key to the end of the transaction, where Postgres still checks it. A table's owner may do this.
pub(super) async fn defer(conn: &mut PgConnection, table: &Table, key: &ForeignKey) -> anyhow::Result<()> {
    let key = quoted(&key.name);
    let sql = format!("alter table {} alter constraint {key} deferrable initially deferred", table.sql());
    tables::execute(conn, &sql, "defer a foreign key").await
}

/// Copies a file into a table. Fails if the file can't be read or the connection breaks.
pub(super) async fn copy(
    conn: &mut PgConnection,
    dumped: &DumpedTable,
    table: &Table,
    file: &mut File,
    path: &Path,
) -> anyhow::Result<Copied> {
    // In the order of the file. The table may have another, even after the same migrations.
    let columns = tables::quoted_list(dumped.columns.iter().map(|column| column.name.as_str()));
    // Without a list, COPY takes all columns that can be written; SQL has no empty list.
    let list = if columns.is_empty() { columns } else { format!("({columns})") };
    let sql = format!("copy {} {list} from stdin with (format text, encoding 'UTF8')", table.sql());
    let mut copy = conn.copy_in_raw(&sql).await.map_err(Error::database("load the dump"))?;
    let (mut tally, mut buffer) = (Tally::default(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                tally.add(&buffer[..read]);
                copy.send(&buffer[..read]).await.map_err(Error::database("load the dump"))?;
            }
            Err(error) => {
                let _ = copy.abort("the file can't be read").await;
                return Err(error).with_context(|| format!("read {}", path.display()));
            }
        }
    }
    Ok(match copy.finish().await {
        Ok(rows) => Copied::All { rows, lines: tally.lines() },
        Err(error) => Copied::Refused(error),
    })
}
