//! A suite of tests of one query each, some at a time, in threads of this process as `cargo test` has them.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use tests::TestDatabase;

use crate::{milliseconds, peer::Peer};

#[derive(Deserialize)]
pub(crate) struct Request {
    design: Design,
    tests: usize,
    at_once: usize,
    /// What each test asks of its database.
    query: String,
}

/// How a test gets its database.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Design {
    Seeded,
    Recycled,
    Transaction,
    /// `#[sqlx::test]`, which runs migrations and seeds.
    Replay,
    /// `#[sqlx::test]` where `template1` has them all.
    Template1,
}

#[derive(Serialize)]
pub(crate) struct Answer {
    seconds: f64,
    /// Of each test, from its start to its query answered.
    first_query_ms: Vec<f64>,
}

pub(crate) fn run(request: Request) -> anyhow::Result<Answer> {
    let peer = match request.design {
        Design::Replay => Some(Peer::load(true)?),
        Design::Template1 => Some(Peer::load(false)?),
        _ => None,
    };
    let (next, times) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let began = Instant::now();
    thread::scope(|scope| {
        let one_after_another = || {
            while next.fetch_add(1, Relaxed) < request.tests {
                let time = match &peer {
                    Some(peer) => peer.test(&request.query),
                    None => test(request.design, &request.query),
                };
                times.lock().unwrap_or_else(PoisonError::into_inner).push(milliseconds(time));
            }
        };
        let threads: Vec<_> = (0..request.at_once).map(|_| scope.spawn(one_after_another)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().ok()).context("a test failed")
    })?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(Answer { seconds, first_query_ms: times.into_inner().unwrap_or_else(PoisonError::into_inner) })
}

fn test(design: Design, query: &str) -> Duration {
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

/// One test of the usual kind.
pub(crate) fn usual(query: &str) -> Duration {
    test(Design::Seeded, query)
}
