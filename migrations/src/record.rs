//! The rows that a step writes into an app's ledger, which is sqlx's.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrate};

use crate::{App, Direction, Error, Ledger, Migration, MovedRow, Project, Step};

/// Writes or removes the row of a migration.
pub(crate) async fn record(
    conn: &mut PgConnection,
    app: &App,
    step: &Step<'_>,
    elapsed: Duration,
) -> Result<(), Error> {
    let recorded = sqlx::raw_sql(AssertSqlSafe(statement(app, step, elapsed))).execute(conn).await;
    recorded.map_err(Error::database("write the ledger"))?;
    Ok(())
}

/// The statement that does so.
pub(crate) fn statement(app: &App, step: &Step<'_>, elapsed: Duration) -> String {
    let Migration { number, recorded, .. } = step.migration;
    match step.direction {
        Direction::Up => format!(
            "insert into {} (version, description, success, checksum, execution_time) values ({number}, {}, true, decode('{}', 'hex'), {})",
            app.ledger,
            literal(&recorded.description),
            hex::encode(&recorded.checksum),
            nanos(elapsed)
        ),
        Direction::Down => format!("delete from {} where version = {number}", app.ledger),
    }
}

/// A text as a literal of SQL, which means the same whatever the session has set.
pub fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn nanos(elapsed: Duration) -> i64 {
    i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
}

/// Writes a row by sqlx's own statement, which leaves the execution time empty.
pub(crate) async fn record_unrun(
    conn: &mut PgConnection,
    app: &App,
    migration: &Migration,
) -> Result<(), Error> {
    conn.skip(&app.ledger, &migration.recorded).await.map_err(Error::ledger("write the ledger"))
}

/// Whether an earlier run began a step and did not finish it.
pub(crate) async fn has_begun(conn: &mut PgConnection, app: &App, step: &Step<'_>) -> Result<bool, Error> {
    let sql = format!("select exists (select from {} where version = $1 and not success)", app.ledger);
    let begun = sqlx::query_scalar(AssertSqlSafe(sql)).bind(step.migration.number).fetch_one(conn).await;
    begun.map_err(Error::database("read the ledger"))
}

/// Marks a step as begun, so that the next run finds it if this one breaks off: its row says that it did not succeed. sqlx
/// reads that too, and runs nothing then. Its execution time is negative while the migration is being applied, as in sqlx,
/// and not while it is being reverted.
pub(crate) async fn begin(conn: &mut PgConnection, app: &App, step: &Step<'_>) -> Result<(), Error> {
    let mut transaction = conn.begin().await.map_err(Error::database("write the ledger"))?;
    let set = match step.direction {
        Direction::Up => {
            record_unrun(&mut transaction, app, step.migration).await?;
            "success = false"
        }
        Direction::Down => "success = false, execution_time = greatest(execution_time, 0)",
    };
    let sql = format!("update {} set {set} where version = $1", app.ledger);
    execute(&mut transaction, sql, step.migration).await?;
    transaction.commit().await.map_err(Error::database("write the ledger"))
}

/// Takes that mark away, since the step did nothing.
pub(crate) async fn cancel(conn: &mut PgConnection, app: &App, step: &Step<'_>) -> Result<(), Error> {
    match step.direction {
        Direction::Up => remove(conn, app, step.migration).await,
        Direction::Down => {
            let sql = format!("update {} set success = true where version = $1", app.ledger);
            execute(conn, sql, step.migration).await
        }
    }
}

/// Turns the row into the one of a finished step.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    app: &App,
    step: &Step<'_>,
    elapsed: Duration,
) -> Result<(), Error> {
    match step.direction {
        Direction::Up => {
            let set = format!("success = true, execution_time = {}", nanos(elapsed));
            execute(conn, format!("update {} set {set} where version = $1", app.ledger), step.migration).await
        }
        Direction::Down => remove(conn, app, step.migration).await,
    }
}

/// Removes the row of a migration.
pub(crate) async fn remove(conn: &mut PgConnection, app: &App, migration: &Migration) -> Result<(), Error> {
    execute(conn, format!("delete from {} where version = $1", app.ledger), migration).await
}

/// Gives rows the numbers, names and checksums of their migrations.
pub(crate) async fn move_rows(
    conn: &mut PgConnection,
    app: &App,
    rows: Vec<MovedRow<'_>>,
) -> Result<(), Error> {
    let failed = || Error::database("write the ledger");
    // All of them leave their numbers before the first takes a new one, which may be the old one of another.
    let aside = |index: usize| i64::MIN + i64::try_from(index).unwrap_or_default();
    let leave = format!("update {} set version = $2 where version = $1", app.ledger);
    for (index, row) in rows.iter().enumerate() {
        let left = sqlx::query(AssertSqlSafe(leave.clone())).bind(row.version).bind(aside(index));
        left.execute(&mut *conn).await.map_err(failed())?;
    }
    let sql =
        format!("update {} set version = $2, description = $3, checksum = $4 where version = $1", app.ledger);
    for (index, MovedRow { migration, .. }) in rows.iter().enumerate() {
        let moved = sqlx::query(AssertSqlSafe(sql.clone())).bind(aside(index)).bind(migration.number);
        let moved = moved.bind(&*migration.recorded.description).bind(migration.checksum());
        moved.execute(&mut *conn).await.map_err(failed())?;
    }
    Ok(())
}

async fn execute(conn: &mut PgConnection, sql: String, migration: &Migration) -> Result<(), Error> {
    let done = sqlx::query(AssertSqlSafe(sql)).bind(migration.number).execute(conn).await;
    done.map_err(Error::database("write the ledger"))?;
    Ok(())
}

/// Creates the missing ledger tables, by sqlx's own statements. Only the missing ones: `create … if not exists` needs the
/// right to create even if the object exists.
pub(crate) async fn create_ledgers(
    conn: &mut PgConnection,
    project: &Project,
    ledger: &Ledger,
) -> Result<(), Error> {
    let failed = || Error::ledger("create the ledger");
    for app in project.apps.iter().filter(|app| ledger.absent.contains(&app.name)) {
        let schema = app.ledger.split_once('.').map(|(schema, _)| schema);
        if let Some(schema) = schema.filter(|schema| *schema != "public") {
            conn.create_schema_if_not_exists(schema).await.map_err(failed())?;
        }
        conn.ensure_migrations_table(&app.ledger).await.map_err(failed())?;
    }
    Ok(())
}
