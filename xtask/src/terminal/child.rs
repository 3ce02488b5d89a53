//! A program that runs in the foreground of ours: it gets our terminal, and a signal that was meant for us alone.

use std::sync::Arc;

use anyhow::Context;
use duct::Expression;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::spawn_blocking;

use crate::terminal::{exit::Stop, interrupt::asked};

/// Runs it to its end. Interrupted, it is told so, waited for, and that is the error.
pub(crate) async fn run(program: Expression) -> anyhow::Result<std::process::ExitStatus> {
    let child = Arc::new(program.unchecked().start().context("start it")?);
    let waiting = spawn_blocking({
        let child = child.clone();
        move || child.wait().map(|output| output.status)
    });
    tokio::pin!(waiting);
    tokio::select! {
        status = &mut waiting => status.context("wait for it")?.context("wait for it"),
        () = asked() => {
            // Ctrl-C reached the child too; a signal that was meant for us alone did not.
            for pid in child.pids() {
                if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                    let _ = kill_process(pid, Signal::TERM);
                }
            }
            let _ = waiting.await;
            Err(Stop::Interrupted.into())
        }
    }
}
