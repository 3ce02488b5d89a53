//! Ctrl-C and other signals that end the program: the work is dropped at its current `await`, and releases what it holds.
//!
//! As the first process of a container, the program must handle them itself: such a process has no default for signals.

use std::{fs, future::pending};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Stop;

/// Does the work, unless a signal ends it.
pub(crate) async fn or_interrupted(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let listen = |kind| signal(kind).context("listen for Ctrl-C");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut hangup = (!is_ignored(SignalKind::hangup())).then(|| listen(SignalKind::hangup())).transpose()?;
    let hung_up = async {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => pending().await,
        }
    };
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => Err(Stop::Interrupted.into()),
        _ = terminate.recv() => Err(Stop::Interrupted.into()),
        _ = hung_up => Err(Stop::Interrupted.into()),
    }
}

/// Whether the signal was ignored at the start, as `nohup` arranges. Only Linux shows it.
fn is_ignored(kind: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}
