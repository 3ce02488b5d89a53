//! Renames, as Postgres makes them.

use anyhow::Context;
use catalogue::Catalogue;
use diff::{Renames, Statement};
use migrations::Error;
use sqlx::{AssertSqlSafe, PgConnection};

/// Reads the schema that the renames make of `from`, in a transaction that is undone. Returns their statements too.
pub(crate) async fn renamed(
    conn: &mut PgConnection,
    mut from: Catalogue,
    leave_out: &[&str],
    mut renames: Renames,
    to: &Catalogue,
) -> anyhow::Result<(Catalogue, Vec<Statement>)> {
    let mut all = Vec::new();
    let mut statements = renames.next(&from, to)?;
    if statements.is_empty() {
        return Ok((from, all));
    }
    // A session that waits for a lock has others wait behind it.
    let begin = sqlx::raw_sql("begin; set local lock_timeout = '5s'").execute(&mut *conn).await;
    begin.map_err(Error::database("begin a transaction"))?;
    while !statements.is_empty() {
        for Statement { sql, .. } in &statements {
            let ran = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *conn).await;
            ran.map_err(Error::database("rename")).with_context(|| format!("run `{sql}`"))?;
        }
        all.extend(statements);
        from = migrations::schema::read_within(conn, leave_out).await?;
        statements = renames.next(&from, to)?;
    }
    let undone = sqlx::raw_sql("rollback").execute(conn).await;
    undone.map_err(Error::database("undo the renames"))?;
    Ok((from, all))
}
