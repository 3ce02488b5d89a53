//! Copies one file of a dump into its table.

use std::{
    borrow::Cow,
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
    /// Whether to load a part of it, if the rest has no place here.
    pub(crate) fit: Fit,
    /// The command that replaces the rows of the tables, without `cargo xtask`.
    pub(crate) again: &'d str,
}

impl Source<'_> {
    pub(super) fn path(&self, table: &DumpedTable) -> PathBuf {
        self.folder.join(&table.file)
    }
}

/// How much of a dump a load takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All of it, or nothing.
    Whole,
    /// The tables and columns that the database has.
    WhatFits,
}

/// Takes some fields of each line. In COPY's text, a tab or a line break is never a part of a value.
struct Fields {
    taken: Vec<bool>,
    at: usize,
    /// A field of this line was taken.
    begun: bool,
}

impl Fields {
    fn new(taken: Vec<bool>) -> Fields {
        Fields { taken, at: 0, begun: false }
    }

    /// The taken fields of a piece of a file, which may end in the middle of one.
    fn take<'t>(&mut self, text: &'t [u8]) -> Cow<'t, [u8]> {
        if self.taken.iter().all(|taken| *taken) {
            return Cow::Borrowed(text);
        }
        let mut out = Vec::with_capacity(text.len());
        for &byte in text {
            let taken = self.taken.get(self.at).is_none_or(|taken| *taken);
            match byte {
                b'\n' => {
                    out.push(byte);
                    (self.at, self.begun) = (0, false);
                }
                b'\t' => {
                    self.begun |= taken;
                    self.at += 1;
                    if self.begun && self.taken.get(self.at).is_none_or(|taken| *taken) {
                        out.push(byte);
                    }
                }
                _ if taken => out.push(byte),
                _ => {}
            }
        }
        Cow::Owned(out)
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
    let names = dumped.columns.iter().map(|column| &column.name);
    let mut fields = Fields::new(names.clone().map(|name| !dumped.left_out.contains(name)).collect());
    let taken = names.filter(|name| !dumped.left_out.contains(name));
    let columns = tables::quoted_list(taken.map(String::as_str));
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
                let taken = fields.take(&buffer[..read]);
                copy.send(&*taken).await.map_err(Error::database("load the dump"))?;
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

#[cfg(test)]
mod tests {
    use super::Fields;

    #[track_caller]
    fn check(taken: &[bool], expected: &str) {
        let text = b"a\t\\N\tc\\t\n\t2\t\n";
        for size in 1..=text.len() {
            let mut fields = Fields::new(taken.to_vec());
            let pieces = text.chunks(size).flat_map(|piece| fields.take(piece).into_owned());
            assert_eq!(String::from_utf8(pieces.collect()).unwrap(), expected);
        }
    }

    #[test]
    fn fields_are_taken_wherever_the_pieces_of_a_file_end() {
        check(&[true, true, true], "a\t\\N\tc\\t\n\t2\t\n");
        check(&[false, true, true], "\\N\tc\\t\n2\t\n");
        check(&[true, false, true], "a\tc\\t\n\t\n");
        check(&[true, true, false], "a\t\\N\n\t2\n");
        check(&[false, false, true], "c\\t\n\n");
    }
}
