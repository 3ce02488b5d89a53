//! Reading the rows of a database that the seeds should have made.

use migrations::Error;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::{Change, Column, Reference, Row};
use crate::database::sql::{self, quoted};

const DOING: &str = "read the seeded rows";

/// Makes a session print values as every other one does.
pub(crate) async fn prepare(conn: &mut PgConnection) -> anyhow::Result<()> {
    for (name, value) in catalogue::ROWS_AS_TEXT {
        let set = sqlx::query("select set_config($1, $2, false)").bind(name).bind(value);
        set.execute(&mut *conn).await.map_err(Error::database(DOING))?;
    }
    Ok(())
}

/// The query for these columns of a table, as one row of texts each.
pub(super) fn select(table: &str, columns: &[Column], condition: &str) -> String {
    let columns: Vec<&str> = columns.iter().map(|column| column.sql.as_str()).collect();
    format!("select {} from {table} t where {condition}", columns.join(", "))
}

pub(super) async fn rows(
    conn: &mut PgConnection,
    sql: &str,
    columns: usize,
) -> Result<Vec<Row>, sqlx::Error> {
    let found = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(conn).await?;
    found.iter().map(|row| (0..columns).map(|at| row.try_get(at)).collect()).collect()
}

/// What a database has of the seeded rows.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The rows by table.
    pub(crate) rows: Vec<(String, Vec<Row>)>,
    /// Tables that could not be read, each with the reason.
    pub(crate) unreadable: Vec<(String, String)>,
}

/// Reads what the database has of the rows, table by table.
pub(crate) async fn read(conn: &mut PgConnection, reference: &Reference) -> anyhow::Result<Found> {
    // A column or table is missing or has another type, or this role may not read it.
    const UNREADABLE: &[&str] = &["42703", "42P01", "42501", "42883", "42804"];
    prepare(conn).await?;
    let mut found = Found::default();
    for table in &reference.tables {
        let keys: Vec<String> = table.rows.iter().map(|row| literal(&row[..table.key])).collect();
        let condition = format!("{} in (values {})", tuple(&table.columns[..table.key]), keys.join(", "));
        let sql = select(&table.sql, &table.columns, &condition);
        match rows(conn, &sql, table.columns.len()).await {
            Ok(rows) => found.rows.push((table.name.clone(), rows)),
            Err(sqlx::Error::Database(error))
                if error.code().is_some_and(|code| UNREADABLE.contains(&&*code)) =>
            {
                found.unreadable.push((table.name.clone(), error.message().to_owned()));
            }
            Err(error) => return Err(Error::database(DOING)(error).into()),
        }
    }
    Ok(found)
}

fn tuple(columns: &[Column]) -> String {
    let parts: Vec<&str> = columns.iter().map(|column| column.sql.as_str()).collect();
    format!("({})", parts.join(", "))
}

fn literal(values: &[Option<String>]) -> String {
    let parts: Vec<String> = values.iter().map(|value| text(value.as_deref())).collect();
    format!("({})", parts.join(", "))
}

/// A value as a text of SQL, which may be null.
fn text(value: Option<&str>) -> String {
    match value {
        None => "null::text".to_owned(),
        Some(value) => sql::literal(value) + "::text",
    }
}

impl Reference {
    /// The statement that makes the same change by hand, to see whether the seeds repair it. `None` if the row is gone, or if
    /// the column stands for another row.
    pub(crate) fn repeat(&self, change: &Change) -> Option<String> {
        let value = change.value.as_ref()?;
        let table = self.tables.iter().find(|table| table.name == change.table)?;
        let column = table.columns.iter().find(|column| column.name == value.column)?;
        Some(format!(
            "update {} t set {} = {}::{} where {} = {}",
            table.sql,
            quoted(&column.name),
            text(value.found.as_deref()),
            column.data_type.as_ref()?,
            tuple(&table.columns[..table.key]),
            literal(&change.values)
        ))
    }
}
