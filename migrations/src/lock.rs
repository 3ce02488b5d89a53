//! The migration lock: sqlx's own advisory key, so that a `Migrator` elsewhere is kept out too.
//!
//! It is polled. A blocking `pg_advisory_lock` is a snapshot that `create index concurrently` of the holder waits for,
//! so that a waiter would deadlock the one who works.

use std::{fmt, time::Duration};

use sqlx::{PgConnection, Row};
use tokio::time::{Instant, sleep};

use crate::{Error, Event, OnEvent};

/// First and longest pause between two tries.
const POLL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// The key of sqlx's migration lock for a database of this name: `sqlx-postgres/src/migrate.rs`.
pub fn lock_key(database: &str) -> i64 {
    const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    0x3d32_ad9e * i64::from(CRC.checksum(database.as_bytes()))
}

/// The session that holds the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its server process.
    pub pid: i32,
    /// What it calls itself.
    pub application: String,
    /// Its role; empty where the server does not show it to us.
    pub role: String,
    /// How long it has been connected.
    pub connected: Duration,
    /// What it runs, or ran last; empty where the server does not show it to us.
    pub query: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held by pid {}, connected for {} s", self.pid, self.connected.as_secs())?;
        for (name, value) in [("application", &self.application), ("role", &self.role)] {
            if !value.is_empty() {
                write!(f, ", {name} `{value}`")?;
            }
        }
        if !self.query.is_empty() {
            write!(f, ", running: {}", self.query)?;
        }
        Ok(())
    }
}

/// Takes the lock, waiting for at most `timeout`. The caller's connection holds it until it unlocks or closes.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    database: &str,
    timeout: Duration,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let start = Instant::now();
    let mut pause = POLL.0;
    let mut told = false;
    loop {
        let got: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(lock_key(database))
            .fetch_one(&mut *conn)
            .await
            .map_err(Error::database("take the migration lock"))?;
        if got {
            return Ok(());
        }
        let holder = holder(conn, database).await?;
        if start.elapsed() >= timeout {
            let (database, waited) = (database.to_owned(), start.elapsed());
            return Err(Error::Locked { database, waited, holder: holder.map(Box::new) });
        }
        if !told {
            on_event(Event::WaitingForLock { database, holder: holder.as_ref() });
            told = true;
        }
        sleep(pause.min(timeout.saturating_sub(start.elapsed()))).await;
        pause = (pause * 2).min(POLL.1);
    }
}

/// Gives the lock back.
pub(crate) async fn unlock(conn: &mut PgConnection, database: &str) -> Result<(), Error> {
    let unlock = sqlx::query("select pg_advisory_unlock($1)").bind(lock_key(database));
    unlock.execute(conn).await.map_err(Error::database("give the migration lock back"))?;
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
