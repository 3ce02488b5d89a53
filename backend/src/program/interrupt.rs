//! Ctrl-C and its relatives: the work is dropped where it waits, and what it holds is put back as it goes.
//!
//! Where this is the first process of a container, nobody else would end it: such a one has no default for signals.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Stop;

/// Does the work, unless we are asked to end.
pub(crate) async fn or_interrupted(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let listen = |kind| signal(kind).context("listen for Ctrl-C");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut hangup = listen(SignalKind::hangup())?;
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => Err(Stop::Interrupted.into()),
        _ = terminate.recv() => Err(Stop::Interrupted.into()),
        _ = hangup.recv() => Err(Stop::Interrupted.into()),
    }
}
