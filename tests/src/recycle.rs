//! Cleans a database in place, which is cheaper than another clone: rows go back to what they were.
//!
//! Other changes make the check fail, and then the database is removed: anything that runs event triggers (all DDL in the
//! database), a sequence that moved on, large objects, settings and rights of the database, prepared transactions.

use std::time::{Duration, Instant};

use sqlx::{Executor, PgConnection, PgPool, pool::PoolConnection};
use tokio::task::yield_now;

/// How long to wait for a connection: a test may have kept all of them.
const FOR_ITS_CONNECTION: Duration = Duration::from_millis(20);

/// Whether a database is again what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cleaned {
    Yes,
    /// It must be removed.
    No,
}

/// Prepares a database so that its clones can be cleaned.
pub(crate) async fn prepare(conn: &mut PgConnection) -> anyhow::Result<()> {
    conn.execute(include_str!("recycle.sql")).await?;
    Ok(())
}

/// Cleans a database over a connection of the test's own pool, and closes all others.
pub(crate) async fn clean(pool: &PgPool) -> Cleaned {
    // The test's own connection is on its way back into the pool, and another would cost a login.
    let began = Instant::now();
    while pool.num_idle() == 0 && pool.size() > 0 && began.elapsed() < FOR_ITS_CONNECTION {
        yield_now().await;
    }
    let Ok(conn) = pool.acquire().await else { return Cleaned::No };
    let mut conn = PoolConnection::detach(conn);
    pool.close().await;
    // The session may have any settings; if it is in a failed transaction, this fails too.
    if conn.execute("discard all").await.is_err() {
        return Cleaned::No;
    }
    let cleaned: Result<bool, _> =
        sqlx::query_scalar("select scratch_recycle.clean()").persistent(false).fetch_one(&mut conn).await;
    let closed = sqlx::Connection::close(conn).await;
    if cleaned.unwrap_or(false) && closed.is_ok() { Cleaned::Yes } else { Cleaned::No }
}
