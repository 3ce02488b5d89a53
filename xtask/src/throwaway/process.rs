//! The process that lends databases, as its starter sees it: `cargo xtask test` starts one and ends it.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _, pipe},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use duct::{Expression, Handle, cmd};
use rustix::process::{Pid, Signal, kill_process};
use tests::service::{Lifetime, Report, Sockets};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    checkout::{Checkout, ROOT},
    terminal::{
        child::this_program,
        exit::{Stop, pass_on},
        interrupt::interruption,
        output,
    },
    throwaway::serving::{Ready, STAY},
};

/// How long to read the last messages of a process that has ended: another that outlives it may have its pipe too.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A process that lends databases, and ends with us.
pub(crate) struct ServiceProcess {
    /// The connection string of its server, password included.
    pub(crate) url: String,
    /// Where it listens.
    pub(crate) socket: PathBuf,
    child: Arc<Handle>,
    input: PipeWriter,
}

/// Whether a process ends with its starter.
pub(super) enum Tie {
    /// When this pipe's other end closes.
    Attached(PipeReader),
    /// It lives on.
    Detached,
}

impl ServiceProcess {
    /// Starts one, and hands every line that it prints to `print`.
    pub(crate) async fn start(checkout: &Checkout, print: fn(&str)) -> anyhow::Result<ServiceProcess> {
        let socket = Sockets::in_checkout(&checkout.root)?.of_process(std::process::id());
        // A killed one that had our process id may have left it.
        let _ = fs::remove_file(&socket);
        let (input, writer) = pipe()?;
        let (child, url) = start(checkout, &socket, Tie::Attached(input), print).await?;
        Ok(ServiceProcess { url, socket, child, input: writer })
    }

    /// What it has lent.
    pub(crate) async fn report(&self) -> anyhow::Result<Report> {
        tests::service::report(&self.socket).await
    }

    /// Leaves it running, so that people can look at what failed tests have left; returns for how long.
    pub(crate) fn leave(mut self) -> anyhow::Result<Duration> {
        writeln!(self.input, "{STAY}").context("ask the test server to stay")?;
        Ok(Lifetime::default().kept)
    }

    /// Ends it, and waits until everything of it is gone.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        drop(self.input);
        wait(self.child).await
    }
}

async fn wait(child: Arc<Handle>) -> anyhow::Result<()> {
    let status = spawn_blocking(move || child.wait().map(|output| output.status)).await??;
    pass_on(status)
}

/// Starts a process and waits until it is ready; returns it and the connection string of its server.
pub(super) async fn start(
    checkout: &Checkout,
    socket: &Path,
    tie: Tie,
    print: fn(&str),
) -> anyhow::Result<(Arc<Handle>, String)> {
    let (child, output, complaints) = spawn(checkout, socket, tie)?;
    let complaining = spawn_blocking(move || {
        BufReader::new(complaints).lines().map_while(Result::ok).for_each(|line| output::remark(&line));
    });
    let ready = spawn_blocking(move || read_until_ready(output, print));
    tokio::select! {
        ready = ready => match ready? {
            Some(url) => Ok((child, url)),
            None => {
                let ended = wait(child).await;
                // It has printed the reason.
                let _ = timeout(LAST_WORDS, complaining).await;
                ended?;
                Err(Stop::Code(1).into())
            }
        },
        () = interruption() => {
            for pid in child.pids().into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
                let _ = kill_process(pid, Signal::TERM);
            }
            let _ = wait(child).await;
            Err(Stop::Interrupted.into())
        }
    }
}

/// Starts this program again as the process, with pipes for its standard output and standard error.
fn spawn(
    checkout: &Checkout,
    socket: &Path,
    tie: Tie,
) -> anyhow::Result<(Arc<Handle>, PipeReader, PipeReader)> {
    let this = this_program()?;
    let mut words: Vec<OsString> = Vec::new();
    if let Some(choice) = checkout.asked_for() {
        words.extend(["--server".into(), choice.into()]);
    }
    words.extend(["server", "host", "--socket"].map(Into::into));
    words.push(socket.into());
    if let Tie::Attached(_) = tie {
        words.push("--attached".into());
    }
    let (reader, output) = pipe()?;
    // It may outlive us, so it must not have our standard error: a reader of that would wait for its end.
    let (complaints, error_output) = pipe()?;
    let input = |program: Expression| match tie {
        Tie::Attached(input) => program.stdin_file(input),
        Tie::Detached => program.stdin_null(),
    };
    // In one expression: the ends of the pipes that are the child's must not stay open here.
    let child = input(cmd(this, words).stderr_file(error_output))
        .env(ROOT, &checkout.root)
        .stdout_file(output)
        .unchecked()
        .before_spawn(|command| {
            // Ctrl-C in the terminal reaches us alone, and we end it.
            command.process_group(0);
            Ok(())
        })
        .start();
    Ok((Arc::new(child.context("start this program again")?), reader, complaints))
}

/// Prints what a process prints until it is ready; `None` if it ends before.
fn read_until_ready(output: PipeReader, print: fn(&str)) -> Option<String> {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        match serde_json::from_str::<Ready>(&line) {
            Ok(ready) => return Some(ready.url),
            Err(_) => print(&line),
        }
    }
    None
}
