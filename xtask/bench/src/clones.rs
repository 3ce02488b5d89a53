//! Clones a second, as the service makes them for those who wait.

use std::{path::PathBuf, sync::Arc, time::Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::JoinSet};

#[derive(Deserialize)]
pub(crate) struct Request {
    socket: PathBuf,
    /// Were made ahead, so nobody waits for them.
    ready: usize,
    clones: usize,
    at_once: usize,
}

#[derive(Serialize)]
pub(crate) struct Answer {
    per_second: f64,
}

/// From when the last that was ready is gone to when the last is lent: as many are being made then as were before.
///
/// Nothing is given back until the end, so that nothing is dropped meanwhile.
pub(crate) fn run(request: Request) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let asking = Arc::new(Semaphore::new(request.at_once));
        let mut all = JoinSet::new();
        for _ in 0..request.ready + request.clones {
            let (asking, socket) = (asking.clone(), request.socket.clone());
            all.spawn(async move {
                let _turn = asking.acquire().await?;
                let lent = tests::seeded().borrow_from(&socket, "bench").await?;
                anyhow::Ok((lent, Instant::now()))
            });
        }
        let mut lent = Vec::new();
        while let Some(one) = all.join_next().await {
            lent.push(one.context("borrow a database")??);
        }
        let mut times: Vec<Instant> = lent.iter().map(|(_, at)| *at).collect();
        times.sort_unstable();
        let (first, last) = (times.get(request.ready.saturating_sub(1)), times.last());
        let elapsed = *last.context("no clone was asked for")? - *first.context("none was ready")?;
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let clones = request.clones as f64;
        Ok(Answer { per_second: clones / elapsed.as_secs_f64() })
    })
}
