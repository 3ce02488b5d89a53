//! Clones a second, as the service makes them for those who wait.

use std::{path::PathBuf, time::Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::JoinSet};

#[derive(Deserialize)]
pub(crate) struct Request {
    socket: PathBuf,
    clones: usize,
    at_once: usize,
}

#[derive(Serialize)]
pub(crate) struct Answer {
    per_second: f64,
}

/// Nothing is given back until the end, so that nothing is dropped meanwhile.
pub(crate) fn run(request: Request) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = tests::report(&request.socket).await?.server.parse()?;
        let before = tests::scratch_databases(&server).await?.len();
        let asking = std::sync::Arc::new(Semaphore::new(request.at_once));
        let began = Instant::now();
        let mut all = JoinSet::new();
        for _ in 0..request.clones {
            let (asking, socket) = (asking.clone(), request.socket.clone());
            all.spawn(async move {
                let _turn = asking.acquire().await?;
                tests::seeded().borrow_from(&socket, "bench").await
            });
        }
        let mut lent = Vec::new();
        while let Some(one) = all.join_next().await {
            lent.push(one.context("borrow a database")??);
        }
        // Those that were made ahead meanwhile are among them.
        let (after, elapsed) = (tests::scratch_databases(&server).await?.len(), began.elapsed());
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let made = after.saturating_sub(before) as f64;
        Ok(Answer { per_second: made / elapsed.as_secs_f64() })
    })
}
