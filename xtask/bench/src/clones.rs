//! The databases a second that the service makes for callers who wait.

use std::{sync::Arc, time::Instant};

use anyhow::Context;
use tokio::{sync::Semaphore, task::JoinSet};
use xtask_protocol::bench::{CloneRate, Clones};

/// Measures from the hand-out of the last database that was ready to the hand-out of the last of all. At both moments the
/// service makes the same number ahead.
///
/// Gives nothing back until the end, so that the service drops nothing meanwhile.
pub(crate) fn run(request: Clones) -> anyhow::Result<CloneRate> {
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
        let elapsed = *last.context("the request has no clones")? - *first.context("none was ready")?;
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let clones = request.clones as f64;
        Ok(CloneRate { per_second: clones / elapsed.as_secs_f64() })
    })
}
