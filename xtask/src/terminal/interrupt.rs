//! Ctrl-C and similar signals: work stops at its next wait, owners clean up what they own, and the exit code is 130.

use std::sync::LazyLock;

use anyhow::Context;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::terminal::exit::Stop;

/// True from the first signal on, so that work that starts later stops at once too.
static INTERRUPTED: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Starts listening for signals. A second signal ends the process on the spot.
pub(crate) fn listen() -> anyhow::Result<()> {
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    // `nohup` starts a program with this signal ignored, and it should stay ignored.
    if !ignored(SignalKind::hangup()) {
        kinds.push(SignalKind::hangup());
    }
    for kind in kinds {
        let mut signals = signal(kind).context("listen for Ctrl-C")?;
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if INTERRUPTED.send_replace(true) {
                    std::process::exit(130);
                }
            }
        });
    }
    Ok(())
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
