//! Runs a program in the foreground: it shares our terminal, and we pass on the signals that only we received.

use std::sync::Arc;

use anyhow::Context;
use duct::Expression;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::spawn_blocking;

use crate::terminal::{exit::Stop, interrupt::interruption};

/// Runs a program to its end. If this process is interrupted, ends the program, waits for it and returns
/// [`Stop::Interrupted`].
pub(crate) async fn run(program: Expression) -> anyhow::Result<std::process::ExitStatus> {
    let child = Arc::new(program.unchecked().start().context("start it")?);
    let waiting = spawn_blocking({
        let child = child.clone();
        move || child.wait().map(|output| output.status)
    });
    tokio::pin!(waiting);
    tokio::select! {
        status = &mut waiting => status.context("wait for it")?.context("wait for it"),
        () = interruption() => {
            // Ctrl-C in the terminal reached the child too; a signal sent to this process alone did not.
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
