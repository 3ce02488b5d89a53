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
        // All but the template, and what others hold.
        let ready = tests::scratch_databases(&server).await?;
        let ready = ready.iter().filter(|(_, what)| !what.starts_with("template")).count();
        let asking = std::sync::Arc::new(Semaphore::new(request.at_once));
        let began = Instant::now();
        let mut all = JoinSet::new();
        for _ in 0..request.clones {
            let (asking, socket) = (asking.clone(), request.socket.clone());
            all.spawn(async move {
                let _turn = asking.acquire().await?;
                let lent = tests::seeded().borrow_from(&socket, "bench").await?;
                anyhow::Ok((lent, began.elapsed()))
            });
        }
        let mut lent = Vec::new();
        while let Some(one) = all.join_next().await {
            lent.push(one.context("borrow a database")??);
        }
        let last = lent.iter().map(|(_, time)| time.as_secs_f64()).fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let made = lent.len().saturating_sub(ready) as f64;
        Ok(Answer { per_second: made / last })
    })
}
