//! Runs a program in the foreground: it shares our terminal, and we pass on the signals that only we received.

use std::{env, path::PathBuf, sync::Arc};

use anyhow::Context;
use duct::Expression;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::spawn_blocking;

use crate::terminal::{exit::Stop, interrupt::interruption};

/// The path of this program, to start it again.
///
/// Cargo may have replaced the file since we were started, as a build of the whole workspace does with other features. Linux
/// then calls ours deleted; the new one is at the same path.
pub(crate) fn this_program() -> anyhow::Result<PathBuf> {
    let path = env::current_exe().context("find this program")?;
    Ok(match path.to_str().and_then(|path| path.strip_suffix(" (deleted)")) {
        Some(replaced) if !path.exists() => PathBuf::from(replaced),
        _ => path,
    })
}

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
