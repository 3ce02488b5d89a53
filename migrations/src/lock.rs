//! The migration lock: sqlx's own advisory key, so that it also keeps out a `Migrator` of sqlx.
//!
//! We poll it. A blocking `pg_advisory_lock` has a snapshot that the holder's `create index concurrently` would wait for,
//! so the two would deadlock.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, Row};
use tokio::time::{Instant, sleep};

use crate::{Error, Event, Holder, OnEvent, server_process::PORT};

/// First and longest pause between two tries.
const POLL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// The key of sqlx's migration lock for a database of this name: `sqlx-postgres/src/migrate.rs`.
fn lock_key(database: &str) -> i64 {
    const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    0x3d32_ad9e * i64::from(CRC.checksum(database.as_bytes()))
}

/// Takes the lock, waiting for at most `timeout`. The connection has it until it unlocks or closes.
///
/// The lock belongs to the server process, so it is taken only in the one with which the session began.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    (database, pid): (&str, i32),
    timeout: Duration,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let start = Instant::now();
    let mut pause = POLL.0;
    let mut reported = false;
    loop {
        let sql = format!(
            "select case when pg_backend_pid() = {pid} then pg_try_advisory_lock({}) end, {PORT}",
            lock_key(database)
        );
        let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&mut *conn).await;
        let read = row.and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        match read.map_err(Error::database("take the migration lock"))? {
            (Some(true), _) => return Ok(()),
            (Some(false), _) => {}
            (None, port) => {
                let found = "it changes the server process between two transactions".to_owned();
                return Err(Error::Pooler { found, port: Some(port) });
            }
        }
        let holder = holder(conn, database).await?;
        if start.elapsed() >= timeout {
            let (database, waited) = (database.to_owned(), start.elapsed());
            return Err(Error::Locked { database, waited, holder: holder.map(Box::new) });
        }
        if !reported {
            on_event(Event::WaitingForLock { database, holder: holder.as_ref() });
            reported = true;
        }
        sleep(pause.min(timeout.saturating_sub(start.elapsed()))).await;
        pause = (pause * 2).min(POLL.1);
    }
}

/// Releases the lock.
pub(crate) async fn unlock(conn: &mut PgConnection, database: &str) -> Result<(), Error> {
    let unlock = sqlx::query("select pg_advisory_unlock($1)").bind(lock_key(database));
    unlock.execute(conn).await.map_err(Error::database("release the migration lock"))?;
    Ok(())
}

async fn holder(conn: &mut PgConnection, database: &str) -> Result<Option<Holder>, Error> {
    let key = lock_key(database);
    let row = sqlx::query(
        "select a.pid, coalesce(a.application_name, '') as application, coalesce(a.usename, '') as role,
                coalesce(extract(epoch from clock_timestamp() - a.backend_start), 0)::float8 as connected,
                coalesce(left(regexp_replace(a.query, '\\s+', ' ', 'g'), 100), '') as query
         from pg_locks l join pg_stat_activity a using (pid)
         where l.locktype = 'advisory' and l.granted and l.objsubid = 1
           and l.database = (select oid from pg_database where datname = current_database())
           and (l.classid::bigint << 32 | l.objid::bigint) = $1",
    )
    .bind(key)
    .fetch_optional(conn)
    .await
    .map_err(Error::database("look for the holder of the migration lock"))?;
    let read = |row: sqlx::postgres::PgRow| {
        Ok(Holder {
            pid: row.try_get("pid")?,
            application: row.try_get("application")?,
            role: row.try_get("role")?,
            connected: Duration::from_secs_f64(row.try_get::<f64, _>("connected")?.max(0.0)),
            query: row.try_get("query")?,
        })
    };
    row.map(read).transpose().map_err(Error::database("look for the holder of the migration lock"))
}

#[cfg(test)]
mod tests {
    use super::lock_key;

    #[test]
    fn the_key_is_the_one_that_sqlx_takes() {
        // Observed on a server while sqlx's own `Migrator` held the lock of a database `toy`.
        assert_eq!(lock_key("toy"), 1_774_627_015_725_329_380);
    }
}
