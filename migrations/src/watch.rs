//! Finds out who blocks a session while it waits for a lock. Afterwards it no longer waits, and the server has forgotten
//! for whom it did.

use std::{
    convert::Infallible,
    future, mem,
    pin::pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::{Either, select};
use sqlx::{ConnectOptions, PgConnection, Row, postgres::PgConnectOptions};
use tokio::time::sleep;

use crate::Blocker;

/// A second look at a session, over a connection of its own. It takes no lock and has no snapshot while it waits, so it
/// blocks nothing.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    options: PgConnectOptions,
    pid: i32,
    lock_timeout: Duration,
}

impl Watch {
    /// Watches the session of this server process, which waits for a lock for at most `lock_timeout`.
    pub(crate) fn new(options: PgConnectOptions, pid: i32, lock_timeout: Duration) -> Watch {
        Watch { options, pid, lock_timeout }
    }

    /// Does the work of that session, and returns who blocked it last. Connects only if the work takes so long that it may
    /// wait for a lock.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> (T, Vec<Blocker>) {
        let seen = Mutex::new(Vec::new());
        let look = async {
            sleep(self.lock_timeout / 2).await;
            let connected =
                if self.lock_timeout.is_zero() { None } else { self.options.connect().await.ok() };
            // Without that connection, the error names no one.
            let Some(mut conn) = connected else { return future::pending::<Infallible>().await };
            loop {
                match blockers(&mut conn, self.pid).await {
                    Ok(found) if found.is_empty() => {}
                    Ok(found) => *seen.lock().unwrap_or_else(PoisonError::into_inner) = found,
                    Err(_) => return future::pending().await,
                }
                sleep(self.lock_timeout / 4).await;
            }
        };
        let (work, look) = (pin!(work), pin!(look));
        let done = match select(work, look).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        };
        let seen = mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        (done, seen)
    }
}

async fn blockers(conn: &mut PgConnection, pid: i32) -> Result<Vec<Blocker>, sqlx::Error> {
    let rows = sqlx::query(
        "select pid, coalesce(application_name, '') as application, coalesce(usename, '') as role,
                coalesce(extract(epoch from clock_timestamp() - xact_start), 0)::float8 as since,
                coalesce(left(regexp_replace(query, '\\s+', ' ', 'g'), 100), '') as query
         from pg_stat_activity where pid = any (pg_blocking_pids($1)) order by pid",
    )
    .bind(pid)
    .fetch_all(conn)
    .await?;
    let read = |row: sqlx::postgres::PgRow| {
        Ok(Blocker {
            pid: row.try_get("pid")?,
            application: row.try_get("application")?,
            role: row.try_get("role")?,
            since: Duration::from_secs_f64(row.try_get::<f64, _>("since")?.max(0.0)),
            query: row.try_get("query")?,
        })
    };
    rows.into_iter().map(read).collect()
}
