//! Locks the tables that the apps own, before the schema is read: reading it would wait for a table that another session has
//! locked, and would not say for which session.

use std::{collections::BTreeSet, slice};

use migrations::{
    Error,
    sqlstate::{self, Again},
};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{database::sql::quoted, rows::tables::execute, terminal::exit::Stop};

const DOING: &str = "lock the tables";
/// SQLSTATE of something that can't be locked, such as a table of another server.
const NO_TABLE: &str = "42809";

/// What other sessions may do with a table that we have locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Read and write its rows, but not alter the table.
    ReadAndWrite,
    /// Nothing, until our transaction ends.
    Wait,
}

/// Returns the quoted and qualified names of the tables that exist, of those that the manifest lists under these names.
pub(crate) async fn existing(
    conn: &mut PgConnection,
    names: &BTreeSet<String>,
) -> anyhow::Result<Vec<String>> {
    let in_schema = |name: &String| {
        let (schema, table) = name.split_once('.')?;
        Some(format!("{}.{}", quoted(schema), quoted(table)))
    };
    let in_public = |name: &String| format!("public.{}", quoted(name));
    let names: Vec<String> =
        names.iter().flat_map(|name| [in_public(name)].into_iter().chain(in_schema(name))).collect();
    let sql = "select name from unnest($1) name where to_regclass(name) is not null";
    let existing = sqlx::query_scalar(sql).bind(names).fetch_all(conn).await;
    Ok(existing.map_err(Error::database("find the tables"))?)
}

/// Locks tables of these names until the transaction ends, and nothing else of these names. If the session's lock timeout
/// passes, fails and lists the sessions that hold them. That timeout is a few seconds, because later sessions queue behind a
/// lock that waits.
pub(crate) async fn lock(conn: &mut PgConnection, names: &[String], others: Others) -> anyhow::Result<()> {
    if !names.is_empty() && !lock_all(conn, names, others).await? {
        for name in names {
            lock_all(conn, slice::from_ref(name), others).await?;
        }
    }
    Ok(())
}

/// Locks all of these. Returns false, and locks none, if one can't be locked.
async fn lock_all(conn: &mut PgConnection, names: &[String], others: Others) -> anyhow::Result<bool> {
    let mode = if others == Others::ReadAndWrite { "access share" } else { "access exclusive" };
    execute(conn, "savepoint before_the_locks", DOING).await?;
    let sql = format!("lock table {} in {mode} mode", names.join(", "));
    let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *conn).await else { return Ok(true) };
    let is_no_table = sqlstate::is(&error, NO_TABLE);
    if !is_no_table && !sqlstate::may_succeed(&error, Again::Transaction) {
        return Err(Error::database(DOING)(error).into());
    }
    execute(conn, "rollback to savepoint before_the_locks", DOING).await?;
    if is_no_table { Ok(false) } else { Err(locked(conn, names, mode).await?.into()) }
}

/// The error of a lock that was not released in time, with the sessions that hold it.
async fn locked(conn: &mut PgConnection, names: &[String], mode: &str) -> anyhow::Result<Stop> {
    let holders: Vec<String> = sqlx::query_scalar(
        "select format('table %s is held by pid %s, in a transaction for %s s, application `%s`, role `%s`, running: %s',
                       string_agg(distinct l.relation::regclass::text, ', '), a.pid,
                       extract(epoch from clock_timestamp() - a.xact_start)::bigint, a.application_name, a.usename,
                       left(regexp_replace(a.query, '\\s+', ' ', 'g'), 100))
         from pg_locks l join pg_stat_activity a using (pid)
         where l.granted and l.pid <> pg_backend_pid() and l.relation = any ($1::regclass[]::oid[])
           and l.database = (select oid from pg_database where datname = current_database())
           and ($2 = 'access exclusive' or l.mode = 'AccessExclusiveLock')
         group by a.pid, a.xact_start, a.application_name, a.usename, a.query order by a.pid",
    )
    .bind(names)
    .bind(mode)
    .fetch_all(conn)
    .await
    .map_err(Error::database("find out who holds the tables"))?;
    let holders: String = holders.iter().map(|holder| format!("\n  {holder}")).collect();
    Ok(Stop::Locked(format!(
        "gave up waiting for a lock on the tables; nothing was touched{holders}\n  close that session, or run the same command again when it is done"
    )))
}
