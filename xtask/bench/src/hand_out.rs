//! A database from the service, to its first query answered, in turn with a bare connection and the same query.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};

use crate::{milliseconds, suite};

#[derive(Deserialize)]
pub(crate) struct Request {
    /// The database of the bare connections.
    url: String,
    runs: usize,
    query: String,
    /// Between two, for the service to make up what was taken.
    pause_ms: u64,
}

#[derive(Serialize)]
pub(crate) struct Answer {
    ours_ms: Vec<f64>,
    bare_ms: Vec<f64>,
}

pub(crate) fn run(request: Request) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let options: PgConnectOptions = request.url.parse()?;
    let mut answer = Answer { ours_ms: Vec::new(), bare_ms: Vec::new() };
    let pause = Duration::from_millis(request.pause_ms);
    // The first of each is there to warm up.
    for counted in [false].into_iter().chain((0..request.runs).map(|_| true)) {
        let ours = suite::usual(&request.query);
        sleep(pause);
        let bare = runtime.block_on(bare(&options, &request.query))?;
        sleep(pause);
        if counted {
            answer.ours_ms.push(milliseconds(ours));
            answer.bare_ms.push(milliseconds(bare));
        }
    }
    Ok(answer)
}

async fn bare(options: &PgConnectOptions, query: &str) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut conn = PgConnection::connect_with(options).await?;
    sqlx::query(AssertSqlSafe(query)).execute(&mut conn).await?;
    let answered = began.elapsed();
    conn.close().await?;
    Ok(answered)
}
