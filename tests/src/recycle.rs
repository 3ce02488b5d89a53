//! Cleaning a database in place, which is cheaper than another clone: rows go back to what they were.
//!
//! What else a test may have changed is noticed, and then the database is thrown away: anything that runs event triggers
//! (all DDL in the database), a sequence that moved on, large objects, settings of the database, prepared transactions.

use std::time::{Duration, Instant};

use sqlx::{Executor, PgConnection, PgPool, pool::PoolConnection};
use tokio::task::yield_now;

/// A test may have kept its connections.
const FOR_ITS_CONNECTION: Duration = Duration::from_millis(20);

/// Makes a database such that its clones can be cleaned.
pub(crate) async fn prepare(conn: &mut PgConnection) -> anyhow::Result<()> {
    conn.execute(include_str!("recycle.sql")).await?;
    Ok(())
}

/// Cleans it over a connection of the test's own pool, and ends all others. False: it has to go.
pub(crate) async fn clean(pool: &PgPool) -> bool {
    // The test's own connection is on its way back into the pool, and another would cost a login.
    let began = Instant::now();
    while pool.num_idle() == 0 && pool.size() > 0 && began.elapsed() < FOR_ITS_CONNECTION {
        yield_now().await;
    }
    let Ok(conn) = pool.acquire().await else { return false };
    let mut conn = PoolConnection::detach(conn);
    pool.close().await;
    // Whatever the session was made to be; in a failed transaction this fails too.
    if conn.execute("discard all").await.is_err() {
        return false;
    }
    let cleaned =
        sqlx::query_scalar("select scratch_recycle.clean()").persistent(false).fetch_one(&mut conn).await;
    let closed = sqlx::Connection::close(conn).await;
    cleaned.unwrap_or(false) && closed.is_ok()
}
