//! One file of a dump into its table.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::Context;
use migrations::Error;
use sqlx::PgConnection;

use crate::{
    database::session::quoted,
    rows::{
        dump::{Dump, DumpedTable, Tally},
        tables::{self, ForeignKey, Table},
    },
};

/// Where the rows come from.
pub(crate) struct Source<'d> {
    pub(crate) dump: &'d Dump,
    pub(crate) folder: &'d Path,
    /// Whether the number of rows may be another one than was dumped.
    pub(crate) edited: bool,
    /// The command that replaces what the tables hold.
    pub(crate) again: &'d str,
}

impl Source<'_> {
    pub(crate) fn path(&self, table: &DumpedTable) -> PathBuf {
        self.folder.join(&table.file)
    }
}

/// Lets a foreign key wait for the end, which its table's owner may decide; it is checked all the same.
pub(crate) async fn defer(conn: &mut PgConnection, table: &Table, key: &ForeignKey) -> anyhow::Result<()> {
    let key = quoted(&key.name);
    let sql = format!("alter table {} alter constraint {key} deferrable initially deferred", table.sql());
    tables::run(conn, &sql, "let a foreign key wait").await
}

/// Copies a file into a table; the rows that it made, and the lines that the file has. The inner error is Postgres's.
pub(crate) async fn copy(
    conn: &mut PgConnection,
    dumped: &DumpedTable,
    table: &Table,
    file: &mut File,
    path: &Path,
) -> anyhow::Result<Result<(u64, u64), sqlx::Error>> {
    // In the order of the file; the table's own may be another one after the same migrations.
    let columns = tables::list(dumped.columns.iter().map(|column| column.name.as_str()));
    let sql = format!("copy {} ({columns}) from stdin with (format text, encoding 'UTF8')", table.sql());
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
    Ok(copy.finish().await.map(|rows| (rows, tally.lines())))
}
