//! The statements that create and drop a database on a server.

use anyhow::Context;
use migrations::database;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::owner::Owner;

/// Copies a template, or else `template0`, which is empty even if this server's `template1` is not.
pub(crate) async fn copy(
    conn: &mut PgConnection,
    owner: &Owner,
    name: &str,
    template: Option<&str>,
) -> anyhow::Result<()> {
    // Copying files is faster if nothing must reach a disk; otherwise its two checkpoints make it the slower way.
    let strategy = if owner.in_memory { " strategy file_copy" } else { "" };
    let sql = format!("create database {name} template {}{strategy}", template.unwrap_or("template0"));
    // Not prepared, which would cost two round trips.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.with_context(|| format!("create {name}"))?;
    Ok(())
}

/// Drops a database, and ends the sessions that are still connected to it.
pub(crate) async fn discard(conn: &mut PgConnection, name: &str) -> anyhow::Result<()> {
    // Never `drop … with (force)`: it sleeps for 100 ms if a session is still there.
    database::end_sessions(conn, name).await?;
    drop_unused(conn, name).await.with_context(|| format!("drop {name}"))
}

/// Drops a database without sessions, if it exists.
pub(crate) async fn drop_unused(conn: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    let sql = format!("drop database if exists \"{}\"", name.replace('"', "\"\""));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map(|_| ())
}
