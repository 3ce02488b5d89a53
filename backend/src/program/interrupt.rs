//! Ctrl-C and its relatives: the work is dropped where it waits, and what it holds is put back as it goes.
//!
//! Where this is the first process of a container, nobody else would end it: such a one has no default for signals.

use std::{fs, future::pending};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Stop;

/// Does the work, unless we are asked to end.
pub(crate) async fn or_interrupted(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let listen = |kind| signal(kind).context("listen for Ctrl-C");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut hangup = (!ignored(SignalKind::hangup())).then(|| listen(SignalKind::hangup())).transpose()?;
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

/// Whether a signal was ignored when we started, as `nohup` has it; as far as the system tells, which Linux does.
fn ignored(kind: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}
