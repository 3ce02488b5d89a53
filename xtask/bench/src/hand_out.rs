//! The time from the request for a database to its first query answered, in turn with a bare connection and the same query.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use xtask_protocol::bench::{HandOut, HandOutTimes};

use crate::{milliseconds::milliseconds, suite};

pub(crate) fn run(request: HandOut) -> anyhow::Result<HandOutTimes> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let options: PgConnectOptions = request.url.parse()?;
    let mut times = HandOutTimes::default();
    let pause = Duration::from_millis(request.pause_ms);
    // The first of each only warms up.
    for run in 0..=request.runs {
        let ours = suite::time_seeded(&request.query);
        sleep(pause);
        let bare = runtime.block_on(bare(&options, &request.query))?;
        sleep(pause);
        if run > 0 {
            times.ours_ms.push(milliseconds(ours));
            times.bare_ms.push(milliseconds(bare));
        }
    }
    Ok(times)
}

async fn bare(options: &PgConnectOptions, query: &str) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut conn = PgConnection::connect_with(options).await?;
    sqlx::query(AssertSqlSafe(query)).execute(&mut conn).await?;
    let answered = began.elapsed();
    conn.close().await?;
    Ok(answered)
}
