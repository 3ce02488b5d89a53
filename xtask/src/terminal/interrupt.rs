//! Ctrl-C and similar signals: work stops at its next wait, owners clean up what they own, and the exit code is 130.

use std::{
    process,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Context;
use tokio::{
    runtime::{Builder, Handle},
    signal::unix::{Signal, SignalKind, signal},
    sync::{oneshot, watch},
    time::timeout,
};

use crate::terminal::exit::{self, Stop};

/// True from the first signal on, so that work that starts later stops at once too.
static INTERRUPTED: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// How long the thread that works may take to show that it still hears. Then it waits for something in one call, perhaps for
/// ever, and will clean up nothing.
const TO_HEAR: Duration = Duration::from_secs(1);

/// How many pieces of work block for a while that ends by itself, and clean up after that.
static PATIENT: AtomicUsize = AtomicUsize::new(0);

/// While one of these lives, the first signal waits for work that blocks, however long that takes.
pub(crate) struct Patience(());

impl Patience {
    pub(crate) fn new() -> Patience {
        PATIENT.fetch_add(1, Ordering::Relaxed);
        Patience(())
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        PATIENT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts listening for signals, on a thread of its own. A second signal ends the process on the spot, and the first one does
/// if the caller's runtime is stuck.
pub(crate) fn listen() -> anyhow::Result<()> {
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    // `nohup` starts a program with this signal ignored, and it should stay ignored.
    if !ignored(SignalKind::hangup()) {
        kinds.push(SignalKind::hangup());
    }
    let (work, hearing) = (Handle::current(), Builder::new_current_thread().enable_all().build());
    let hearing = hearing.context("start a runtime that listens for Ctrl-C")?;
    let guard = hearing.enter();
    let signals =
        kinds.into_iter().map(signal).collect::<Result<Vec<_>, _>>().context("listen for Ctrl-C")?;
    drop(guard);
    let thread = thread::Builder::new().name("signals".to_owned());
    let thread = thread.spawn(move || {
        let all = signals.into_iter().map(|signal| hearing.spawn(hear(signal, work.clone())));
        let all: Vec<_> = all.collect();
        hearing.block_on(async {
            for one in all {
                let _ = one.await;
            }
        });
    });
    thread.context("start a thread that listens for Ctrl-C").map(drop)
}

async fn hear(mut signals: Signal, work: Handle) {
    while signals.recv().await.is_some() {
        if *INTERRUPTED.borrow() {
            process::exit(130);
        }
        let (answer, hears) = oneshot::channel();
        work.spawn(async { answer.send(()) });
        let heard = if PATIENT.load(Ordering::Relaxed) > 0 {
            hears.await.is_ok()
        } else {
            matches!(timeout(TO_HEAR, hears).await, Ok(Ok(())))
        };
        if !heard {
            let _ = exit::failed(&Stop::Interrupted.into(), &Stop::Interrupted.to_string());
            process::exit(130);
        }
        INTERRUPTED.send_replace(true);
    }
}

/// Whether a signal was ignored when this process started. Only Linux has that information; elsewhere `false`.
fn ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

/// Resolves once this process is interrupted.
pub(crate) async fn interruption() {
    let mut receiver = INTERRUPTED.subscribe();
    // The sender is a static, so there is always one.
    let _ = receiver.wait_for(|interrupted| *interrupted).await;
}

/// Does the work, or drops it where it waits once this process is interrupted.
pub(crate) async fn or_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::select! {
        biased;
        () = interruption() => Err(Stop::Interrupted.into()),
        done = work => done,
    }
}
