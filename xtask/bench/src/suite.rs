//! A suite of tests that ask one query each, several at a time, in threads of this process as under `cargo test`.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use sqlx::AssertSqlSafe;
use tests::TestDatabase;
use xtask_protocol::bench::{Design, Suite, SuiteTimes};

use crate::{
    milliseconds::milliseconds,
    peer::{Peer, Seeds},
};

pub(crate) fn run(request: Suite) -> anyhow::Result<SuiteTimes> {
    let peer = match request.design {
        Design::Replay => Some(Peer::load(Seeds::Run)?),
        Design::Template1 => Some(Peer::load(Seeds::Skip)?),
        _ => None,
    };
    let (next, times) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let began = Instant::now();
    thread::scope(|scope| {
        let one_after_another = || {
            while next.fetch_add(1, Relaxed) < request.tests {
                let time = match &peer {
                    Some(peer) => peer.time(&request.query),
                    None => time(request.design, &request.query),
                };
                times.lock().unwrap_or_else(PoisonError::into_inner).push(milliseconds(time));
            }
        };
        let threads: Vec<_> = (0..request.at_once).map(|_| scope.spawn(one_after_another)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().ok()).context("a test failed")
    })?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(SuiteTimes { seconds, first_query_ms: times.into_inner().unwrap_or_else(PoisonError::into_inner) })
}

/// Runs one test, and returns the time until its query was answered.
fn time(design: Design, query: &str) -> Duration {
    let began = Instant::now();
    let mut answered = Duration::ZERO;
    let ask = || sqlx::query(AssertSqlSafe(query));
    let on_a_database = async |db: &TestDatabase| {
        ask().execute(db.pool()).await?;
        answered = began.elapsed();
        Ok(())
    };
    match design {
        Design::Transaction => tests::with_transaction(async |conn| {
            ask().execute(conn).await?;
            answered = began.elapsed();
            Ok(())
        }),
        Design::Recycled => tests::recycled().run(on_a_database),
        _ => tests::seeded().run(on_a_database),
    }
    answered
}

/// The same for a test of the usual kind.
pub(crate) fn time_seeded(query: &str) -> Duration {
    time(Design::Seeded, query)
}
