//! Which line of which file a constraint refused. Never what stands in it: it may be a password's hash.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::anyhow;
use futures_util::TryStreamExt;
use migrations::Error;
use sqlx::{PgConnection, postgres::PgDatabaseError};

use crate::{
    database::session::quoted,
    rows::{
        dump::{self, DumpedTable},
        load::copying::{Source, copy, defer},
        tables::{self, ForeignKey, Table},
    },
};

/// SQLSTATE of a foreign key that leads nowhere.
const FOREIGN_KEY: &str = "23503";

/// Tells a row that Postgres refused while it read the file, or at the end of it.
pub(crate) async fn row(
    conn: &mut PgConnection,
    source: &Source<'_>,
    table: &Table,
    dumped: &DumpedTable,
    file: &mut File,
    error: sqlx::Error,
) -> anyhow::Error {
    let Some(refused) = postgres(&error) else { return Error::database("load the dump")(error).into() };
    let path = source.path(dumped);
    let (mut line, column) = place(refused);
    if let Some(key) = key(table, refused) {
        // At its end COPY no longer knows the line. Loaded once more with the key waiting, the row can be asked for.
        line = orphan(conn, table, dumped, key, file, &path).await.ok().flatten();
    }
    told(&path, line, column, refused)
}

/// Tells a row that a constraint refused which had waited for the end.
pub(crate) async fn deferred(
    conn: &mut PgConnection,
    source: &Source<'_>,
    tables: &[Table],
    error: sqlx::Error,
) -> anyhow::Error {
    let Some(refused) = postgres(&error) else {
        return Error::database("check the constraints")(error).into();
    };
    let name = refused.table().unwrap_or_default();
    let table = tables.iter().find(|table| table.name == name);
    let dumped = source.dump.tables.iter().find(|dumped| dumped.table == name);
    let (Some(table), Some(dumped)) = (table, dumped) else {
        return Error::database("check the constraints")(error).into();
    };
    let path = source.path(dumped);
    let mut line = None;
    let back = tables::run(conn, "rollback to savepoint before_the_check", "check the constraints").await;
    if let (Ok(()), Some(key)) = (back, key(table, refused)) {
        line = line_of_orphan(conn, table, dumped, key, &path).await.ok().flatten();
    }
    told(&path, line, None, refused)
}

fn postgres(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error().and_then(|error| error.try_downcast_ref())
}

fn told(path: &Path, line: Option<u64>, column: Option<String>, refused: &PgDatabaseError) -> anyhow::Error {
    let line = line.map_or(String::new(), |line| format!(":{line}"));
    let column = column.map_or(String::new(), |column| format!(", column {column}"));
    anyhow!(
        "{}{line}{column}: {} ({}); nothing was loaded\n  mend it and load it with --edited, or dump again",
        path.display(),
        without_value(refused.code(), refused.message()),
        refused.code()
    )
}

/// What Postgres says of a value that is none of its type, without the value.
fn without_value(code: &str, message: &str) -> String {
    // 22P04: what the file is made of; the name in quotes is a column's.
    match (message.find('"'), message.rfind('"')) {
        (Some(start), Some(end)) if code.starts_with("22") && code != "22P04" && start < end => {
            format!("{}…{}", &message[..=start], &message[end..])
        }
        _ => message.to_owned(),
    }
}

/// The foreign key of this table that leads nowhere, if it is one.
fn key<'t>(table: &'t Table, refused: &PgDatabaseError) -> Option<&'t ForeignKey> {
    let name = refused.constraint().filter(|_| refused.code() == FOREIGN_KEY)?;
    table.foreign_keys.iter().find(|key| key.name == name)
}

/// Line and column, from `COPY users, line 3, column email: "…"` in whatever language the server speaks.
fn place(refused: &PgDatabaseError) -> (Option<u64>, Option<String>) {
    let context = refused.r#where().unwrap_or_default().lines().rfind(|line| line.starts_with("COPY "));
    let Some((_, rest)) = context.and_then(|context| context.split_once(", ")) else {
        return (None, None);
    };
    let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let column =
        digits[end..].strip_prefix(", ").and_then(|text| text.split(':').next()?.split(' ').next_back());
    (digits[..end].parse().ok(), column.map(str::to_owned))
}

async fn orphan(
    conn: &mut PgConnection,
    table: &Table,
    dumped: &DumpedTable,
    key: &ForeignKey,
    file: &mut File,
    path: &Path,
) -> anyhow::Result<Option<u64>> {
    tables::run(conn, "rollback to savepoint before_the_table", "look for the row").await?;
    // Another one of the table's may fail first otherwise.
    for key in &table.foreign_keys {
        defer(conn, table, key).await?;
    }
    copy(conn, dumped, table, file, path).await?.map_err(Error::database("look for the row"))?;
    line_of_orphan(conn, table, dumped, key, path).await
}

/// A line of a file with a key that leads nowhere. Postgres writes that key as COPY does, so it can be compared.
async fn line_of_orphan(
    conn: &mut PgConnection,
    table: &Table,
    dumped: &DumpedTable,
    key: &ForeignKey,
    path: &Path,
) -> anyhow::Result<Option<u64>> {
    let columns = |alias: &str, columns: &[String]| {
        let columns: Vec<String> =
            columns.iter().map(|column| format!("{alias}.{}", quoted(column))).collect();
        columns.join(", ")
    };
    let (ours, theirs) = (columns("r", &key.columns), columns("p", &key.target_columns));
    let set: Vec<String> =
        key.columns.iter().map(|column| format!("r.{} is not null", quoted(column))).collect();
    let sql = format!(
        "copy (select distinct {ours} from {} r where {} and not exists (select from {} p where ({theirs}) = ({ours})) limit 1000) to stdout",
        table.sql(),
        set.join(" and "),
        key.target_sql()
    );
    let mut found = Vec::new();
    let mut rows = conn.copy_out_raw(&sql).await.map_err(Error::database("look for the row"))?;
    while let Some(row) = rows.try_next().await.map_err(Error::database("look for the row"))? {
        found.push(fields(&row));
    }
    let at: Vec<usize> = key
        .columns
        .iter()
        .filter_map(|name| dumped.columns.iter().position(|column| column.name == *name))
        .collect();
    let mut reader = BufReader::new(dump::open(path)?);
    let (mut line, mut number) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        let all = fields(&line);
        let key: Option<Vec<Vec<u8>>> = at.iter().map(|at| all.get(*at).cloned()).collect();
        if key.is_some_and(|key| found.contains(&key)) {
            return Ok(Some(number));
        }
        line.clear();
    }
    Ok(None)
}

/// The fields of a line, as they are written.
fn fields(line: &[u8]) -> Vec<Vec<u8>> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.split(|byte| *byte == b'\t').map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::without_value;

    #[test]
    fn a_value_is_not_repeated_and_a_column_is() {
        for (code, message, told) in [
            (
                "22P02",
                "invalid input syntax for type uuid: \"$argon2\"",
                "invalid input syntax for type uuid: \"…\"",
            ),
            (
                "22003",
                "value \"9\" is out of range for type integer",
                "value \"…\" is out of range for type integer",
            ),
            ("22P04", "missing data for column \"email\"", "missing data for column \"email\""),
            ("23514", "check constraint \"c\"", "check constraint \"c\""),
        ] {
            assert_eq!(without_value(code, message), told);
        }
    }
}
