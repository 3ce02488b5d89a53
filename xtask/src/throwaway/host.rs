//! A process that has a test server and lends databases on it: started by `cargo xtask test`, which it ends with, or by the
//! first of some tests that run without, which it outlives for a while.

use std::{
    env, fs,
    future::pending,
    io::{self, BufRead as _, BufReader, PipeWriter, Write as _, pipe},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Context;
use clap::Args as ClapArgs;
use cluster::folder;
use duct::{Handle, cmd};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnectOptions;
use tests::service::{Lifetime, Report, Service, Starter, Tenancy};
use tokio::{
    net::UnixListener,
    sync::oneshot,
    task::spawn_blocking,
    time::{sleep, timeout},
};

use crate::{
    checkout::{Checkout, ROOT},
    server::{self, Chosen, choose},
    terminal::{
        exit::{Stop, pass_on},
        format::Format,
        interrupt::{interruption, or_interrupted},
        output::{self, Steps},
    },
    throwaway::test_server::TestServer,
};

/// What the starter writes if the server should stay when the starter ends.
const STAY: &str = "stay";
/// How long to read the last output of a host that has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Another command may be starting the same server, and building xtask first.
const LOCK_PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long)]
    socket: PathBuf,
    /// End with standard input
    #[arg(long)]
    attached: bool,
}

/// The one line that we print for our starter once everything is ready.
#[derive(Debug, Serialize, Deserialize)]
struct Ready {
    /// The connection string of the server, with the password.
    url: String,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let mut end = if self.attached { Some(end_of_input()) } else { None };
        let mut steps = Steps::new(Format::Text);
        let found = or_interrupted(TestServer::start(checkout, &project, &mut steps)).await;
        let server = found.map_err(|error| self.quietly(error))?;
        let served = self.serve(checkout, &server, &mut end).await;
        server.stop().await?;
        // Last, so a missing socket means that everything is gone.
        let _ = fs::remove_file(&self.socket);
        served.map_err(|error| self.quietly(error))
    }

    /// Our starter says itself that it was interrupted.
    fn quietly(&self, error: anyhow::Error) -> anyhow::Error {
        match error.downcast_ref() {
            Some(Stop::Interrupted) if self.attached => Stop::Code(130).into(),
            _ => error,
        }
    }

    async fn serve(
        &self,
        checkout: &Checkout,
        server: &TestServer,
        end: &mut Option<oneshot::Receiver<bool>>,
    ) -> anyhow::Result<()> {
        let mut lifetime = Lifetime::default();
        if server.is_ours() {
            lifetime.tenancy = Tenancy::Sole;
        }
        if self.attached {
            lifetime.starter = Starter::Present;
        }
        let starting = Service::start(server.options.clone(), checkout.root.clone(), lifetime);
        let service = or_interrupted(starting).await?;
        let listener = UnixListener::bind(&self.socket)
            .with_context(|| format!("listen at {}", self.socket.display()))?;
        output::line(&serde_json::to_string(&Ready { url: server.url.to_string() })?);
        // Unless our starter has asked us to stay, we end when it does, however it ends.
        let starter_left = async {
            match end {
                Some(end) => {
                    if end.await == Ok(true) {
                        service.leave_alone();
                        pending::<()>().await;
                    }
                }
                None => pending().await,
            }
        };
        let served = tokio::select! {
            served = service.serve(listener) => served,
            () = starter_left => Ok(()),
            () = interruption() => Err(Stop::Interrupted.into()),
        };
        service.end().await;
        served
    }
}

/// Resolves when standard input ends: true if its last line is [`STAY`].
fn end_of_input() -> oneshot::Receiver<bool> {
    let (sender, receiver) = oneshot::channel();
    // A thread of its own: we can't cancel a read of standard input.
    thread::spawn(move || {
        let last = io::stdin().lines().map_while(Result::ok).last();
        // The receiver may already be gone.
        let _ = sender.send(last.as_deref() == Some(STAY));
    });
    receiver
}

/// A host that we started for ourselves.
pub(crate) struct Host {
    /// The connection string of the server.
    pub(crate) url: String,
    pub(crate) socket: PathBuf,
    child: Arc<Handle>,
    input: PipeWriter,
}

impl Host {
    /// Starts a host that ends with us, and passes its output lines to `show`.
    pub(crate) async fn start(checkout: &Checkout, show: fn(&str)) -> anyhow::Result<Host> {
        let socket = tests::service::shared_socket(&checkout.root)?
            .with_extension(format!("{}.socket", std::process::id()));
        // A killed command with our process id may have left its socket.
        let _ = fs::remove_file(&socket);
        let (input, writer) = pipe()?;
        let (child, url) =
            start(checkout, &socket, |child| child.stdin_file(input), &["--attached"], show).await?;
        Ok(Host { url, socket, child, input: writer })
    }

    /// What it has lent.
    pub(crate) async fn report(&self) -> anyhow::Result<Report> {
        tests::service::report(&self.socket).await
    }

    /// Leaves it running for as long as people may look at what failed tests have left.
    pub(crate) fn leave(mut self) -> anyhow::Result<Duration> {
        writeln!(self.input, "{STAY}").context("ask the test server to stay")?;
        Ok(Lifetime::default().kept)
    }

    /// Ends it, and waits until all of its processes and files are gone.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        drop(self.input);
        ended(self.child).await
    }
}

async fn ended(child: Arc<Handle>) -> anyhow::Result<()> {
    let status = spawn_blocking(move || child.wait().map(|output| output.status)).await??;
    pass_on(status)
}

/// The service that tests of this checkout share; starts it if it does not run.
pub(crate) async fn shared(checkout: &Checkout) -> anyhow::Result<(PathBuf, &'static str)> {
    let socket = tests::service::shared_socket(&checkout.root)?;
    let _lock = folder::lock(&socket.with_extension("lock"), LOCK_PATIENCE).await?;
    if tests::service::report(&socket).await.is_ok() {
        return Ok((socket, "kept"));
    }
    // Its owner was killed.
    let _ = fs::remove_file(&socket);
    start(checkout, &socket, |child| child.stdin_null(), &[], output::remark).await?;
    Ok((socket, "started"))
}

/// The same for commands that only need its socket.
pub(crate) async fn shared_host(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    Ok(shared(checkout).await?.0)
}

/// The server on which the tests of this checkout have their databases, if it runs; starts no service.
pub(crate) async fn shared_server(checkout: &Checkout) -> anyhow::Result<Option<PgConnectOptions>> {
    if let Ok(report) = tests::service::report(&tests::service::shared_socket(&checkout.root)?).await {
        return Ok(Some(report.server.parse()?));
    }
    let postgres = checkout.project()?.postgres;
    let Chosen::Url(..) = choose(checkout, &postgres)? else { return Ok(None) };
    Ok(Some(server::start(checkout, &postgres).await?.options))
}

/// Ends the unused hosts of this checkout. Returns how many it ended.
pub(crate) async fn sweep(checkout: &Checkout) -> anyhow::Result<usize> {
    let socket = tests::service::shared_socket(&checkout.root)?;
    let name = socket.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut ended = 0;
    for entry in fs::read_dir(socket.parent().unwrap_or(&socket))?.flatten() {
        let (path, found) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if !found.starts_with(&name) || !found.ends_with(".socket") {
            continue;
        }
        match tests::service::end(&path).await {
            Ok(()) => {
                ended += 1;
                while path.exists() {
                    sleep(Duration::from_millis(5)).await;
                }
            }
            // Its host was killed.
            Err(_) if tests::service::report(&path).await.is_err() => drop(fs::remove_file(&path)),
            Err(_) => {}
        }
    }
    Ok(ended)
}

/// Starts a host, passes its output lines to `show`, and waits until it is ready.
async fn start(
    checkout: &Checkout,
    socket: &Path,
    surround: impl FnOnce(duct::Expression) -> duct::Expression,
    more: &[&str],
    show: fn(&str),
) -> anyhow::Result<(Arc<Handle>, String)> {
    let this = env::current_exe().context("find this program")?;
    let mut words: Vec<std::ffi::OsString> = Vec::new();
    if let Some(choice) = checkout.asked_for() {
        words.extend(["--server".into(), choice.into()]);
    }
    words.extend(["server", "host", "--socket"].map(Into::into));
    words.push(socket.into());
    words.extend(more.iter().map(Into::into));
    let (reader, output) = pipe()?;
    // A pipe of its own: the host may outlive us, and a reader of our standard error would wait until the host ends.
    let (complaints, error_output) = pipe()?;
    // One expression, so that it drops the child's ends of the pipes in this process.
    let child = surround(cmd(this, words).stderr_file(error_output))
        .env(ROOT, &checkout.root)
        .stdout_file(output)
        .unchecked()
        .before_spawn(|command| {
            // Ctrl-C in the terminal reaches only us; we pass it on.
            command.process_group(0);
            Ok(())
        })
        .start();
    let child = Arc::new(child.context("start this program again")?);
    let complaining = spawn_blocking(move || {
        BufReader::new(complaints).lines().map_while(Result::ok).for_each(|line| output::remark(&line));
    });
    let mut lines = BufReader::new(reader).lines();
    let ready = spawn_blocking(move || {
        while let Some(Ok(line)) = lines.next() {
            match serde_json::from_str::<Ready>(&line) {
                Ok(ready) => return Some(ready.url),
                Err(_) => show(&line),
            }
        }
        None
    });
    tokio::select! {
        ready = ready => match ready? {
            Some(url) => Ok((child, url)),
            None => {
                let ended = ended(child).await;
                // It has said why. Another process may still hold the pipe, so don't wait for its end.
                let _ = timeout(LAST_WORDS, complaining).await;
                ended?;
                Err(Stop::Code(1).into())
            }
        },
        () = interruption() => {
            for pid in child.pids().into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
                let _ = kill_process(pid, Signal::TERM);
            }
            let _ = ended(child).await;
            Err(Stop::Interrupted.into())
        }
    }
}
