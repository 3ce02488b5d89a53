//! Ctrl-C and its relatives: work stops at its next wait, whoever owns something cleans it up, and the exit code is 130.

use std::sync::LazyLock;

use anyhow::Context;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::terminal::exit::Stop;

/// True once we were asked to end. It stays so: work that begins afterwards ends at once.
static ASKED: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Starts to listen. A second signal ends the process on the spot.
pub(crate) fn listen() -> anyhow::Result<()> {
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    // Whoever started us by `nohup` wants it ignored.
    if !ignored(SignalKind::hangup()) {
        kinds.push(SignalKind::hangup());
    }
    for kind in kinds {
        let mut signals = signal(kind).context("listen for Ctrl-C")?;
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if ASKED.send_replace(true) {
                    std::process::exit(130);
                }
            }
        });
    }
    Ok(())
}

/// Whether a signal was ignored when we started, as far as the system tells: Linux does.
fn ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

/// Resolves when we are asked to end.
pub(crate) async fn asked() {
    let mut receiver = ASKED.subscribe();
    // The sender is a static, so there is always one.
    let _ = receiver.wait_for(|asked| *asked).await;
}

/// Does the work, unless we are asked to end: then the work is dropped where it waits.
pub(crate) async fn or_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::select! {
        biased;
        () = asked() => Err(Stop::Interrupted.into()),
        done = work => done,
    }
}
