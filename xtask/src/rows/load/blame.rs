//! Reports which line of which file Postgres refused, but never its content, which may be a password hash.

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
    database::sql::{qualified, quoted},
    rows::{
        dump::{self, DumpedTable},
        load::copying::{Copied, Source, copy, defer},
        tables::{self, ForeignKey, Table},
    },
};

/// SQLSTATE of a row whose foreign key refers to no row.
const FOREIGN_KEY: &str = "23503";

/// Explains an error that Postgres raised while it read a file or at the end of that file.
pub(super) async fn explain_row(
    conn: &mut PgConnection,
    source: &Source<'_>,
    table: &Table,
    dumped: &DumpedTable,
    file: &mut File,
    error: sqlx::Error,
) -> anyhow::Error {
    let Some(refused) = postgres(&error) else { return Error::database("load the dump")(error).into() };
    let path = source.path(dumped);
    let (mut line, column) = line_and_column(refused);
    if let Some(key) = violated_key(table, refused) {
        // COPY checks keys at its end, and then reports no line. So we load the rows once more with deferred keys, and query them.
        line = reload_and_find_orphan(conn, table, dumped, key, file, &path).await.ok().flatten();
    }
    report(&path, line, column, refused)
}

/// Explains an error that a deferred constraint raised at the end of the load.
pub(super) async fn explain_deferred(
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
    let rollback =
        tables::execute(conn, "rollback to savepoint before_the_check", "check the constraints").await;
    if let (Ok(()), Some(key)) = (rollback, violated_key(table, refused)) {
        line = line_of_orphan(conn, table, dumped, key, &path).await.ok().flatten();
    }
    report(&path, line, None, refused)
}

fn postgres(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error().and_then(|error| error.try_downcast_ref())
}

fn report(
    path: &Path,
    line: Option<u64>,
    column: Option<String>,
    refused: &PgDatabaseError,
) -> anyhow::Error {
    let line = line.map_or(String::new(), |line| format!(":{line}"));
    let column = column.map_or(String::new(), |column| format!(", column {column}"));
    anyhow!(
        "{}{line}{column}: {} ({}); nothing was loaded\n  fix it and load it with --edited, or dump again",
        path.display(),
        without_value(refused.code(), refused.message()),
        refused.code()
    )
}

/// Removes the value from a message about a value that does not fit its type.
fn without_value(code: &str, message: &str) -> String {
    // 22P04 is about the format of the file, and quotes the name of a column.
    match (message.find('"'), message.rfind('"')) {
        (Some(start), Some(end)) if code.starts_with("22") && code != "22P04" && start < end => {
            format!("{}…{}", &message[..=start], &message[end..])
        }
        _ => message.to_owned(),
    }
}

/// Finds the foreign key of this table that a row violates, if the error is about one.
fn violated_key<'t>(table: &'t Table, refused: &PgDatabaseError) -> Option<&'t ForeignKey> {
    let name = refused.constraint().filter(|_| refused.code() == FOREIGN_KEY)?;
    table.foreign_keys.iter().find(|key| key.name == name)
}

/// Reads the line and the column from a context such as `COPY users, line 3, column email: "…"`, in any of the server's
/// languages.
fn line_and_column(refused: &PgDatabaseError) -> (Option<u64>, Option<String>) {
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

/// Loads the file again with deferred keys, and finds the line of a row whose key refers to no row.
async fn reload_and_find_orphan(
    conn: &mut PgConnection,
    table: &Table,
    dumped: &DumpedTable,
    key: &ForeignKey,
    file: &mut File,
    path: &Path,
) -> anyhow::Result<Option<u64>> {
    tables::execute(conn, "rollback to savepoint before_the_table", "find the row").await?;
    // All of them, because another key of the table could fail first.
    for key in table.foreign_keys.iter().filter(|key| !key.not_valid) {
        defer(conn, table, key).await?;
    }
    if let Copied::Refused(error) = copy(conn, dumped, table, file, path).await? {
        return Err(Error::database("find the row")(error).into());
    }
    line_of_orphan(conn, table, dumped, key, path).await
}

/// Finds the line of a row whose key refers to no row. COPY writes such keys here just as it wrote them to the file, so their
/// text can be compared.
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
    let (referring, referred) = (columns("r", &key.columns), columns("p", &key.target_columns));
    let is_set: Vec<String> =
        key.columns.iter().map(|column| format!("r.{} is not null", quoted(column))).collect();
    let sql = format!(
        "copy (select distinct {referring} from {} r where {} and not exists (select from {} p where ({referred}) = ({referring})) limit 1000) to stdout",
        table.sql(),
        is_set.join(" and "),
        qualified(&key.target)
    );
    let mut orphans = Vec::new();
    let mut rows = conn.copy_out_raw(&sql).await.map_err(Error::database("find the row"))?;
    while let Some(row) = rows.try_next().await.map_err(Error::database("find the row"))? {
        orphans.push(fields(&row));
    }
    let positions: Vec<usize> = key
        .columns
        .iter()
        .filter_map(|name| dumped.columns.iter().position(|column| column.name == *name))
        .collect();
    let mut reader = BufReader::new(dump::open(path)?);
    let (mut line, mut number) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        let all = fields(&line);
        let key: Option<Vec<Vec<u8>>> =
            positions.iter().map(|position| all.get(*position).cloned()).collect();
        if key.is_some_and(|key| orphans.contains(&key)) {
            return Ok(Some(number));
        }
        line.clear();
    }
    Ok(None)
}

/// Splits a line into its fields, which stay escaped.
fn fields(line: &[u8]) -> Vec<Vec<u8>> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.split(|byte| *byte == b'\t').map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::without_value;

    #[test]
    fn a_value_is_hidden_and_a_column_is_shown() {
        for (code, message, expected) in [
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
            assert_eq!(without_value(code, message), expected);
        }
    }
}
