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

/// What the starter writes when it leaves and the server is to stay.
const STAY: &str = "stay";
/// For reading what a host that has ended said.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Others may be starting the same server, and building xtask before.
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

/// The one line for our starter: everything is ready.
#[derive(Debug, Serialize, Deserialize)]
struct Ready {
    /// Of the server, password included.
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
        // Last, so that its absence tells that everything is gone.
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
        // Unless told to stay, we go when our starter does, however that ends.
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

/// Resolves when standard input ends: true if the last word was to stay.
fn end_of_input() -> oneshot::Receiver<bool> {
    let (sender, receiver) = oneshot::channel();
    // A thread of its own: a read of standard input can't be given up.
    thread::spawn(move || {
        let last = io::stdin().lines().map_while(Result::ok).last();
        // Whoever listened may be done already.
        let _ = sender.send(last.as_deref() == Some(STAY));
    });
    receiver
}

/// A host that we started for ourselves.
pub(crate) struct Host {
    /// Of the server.
    pub(crate) url: String,
    pub(crate) socket: PathBuf,
    child: Arc<Handle>,
    input: PipeWriter,
}

impl Host {
    /// Starts one that ends with us, and tells what it tells.
    pub(crate) async fn start(checkout: &Checkout, tell: fn(&str)) -> anyhow::Result<Host> {
        let socket = tests::service::shared_socket(&checkout.root)?
            .with_extension(format!("{}.socket", std::process::id()));
        // Of a killed one that had our number.
        let _ = fs::remove_file(&socket);
        let (input, writer) = pipe()?;
        let (child, url) =
            start(checkout, &socket, |child| child.stdin_file(input), &["--attached"], tell).await?;
        Ok(Host { url, socket, child, input: writer })
    }

    /// What it has lent.
    pub(crate) async fn report(&self) -> anyhow::Result<Report> {
        tests::service::report(&self.socket).await
    }

    /// Leaves it running for as long as people may look at what failed tests have left.
    pub(crate) fn leave(mut self) -> anyhow::Result<Duration> {
        writeln!(self.input, "{STAY}").context("tell the test server to stay")?;
        Ok(Lifetime::default().kept)
    }

    /// Ends it, and waits until everything of it is gone.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        drop(self.input);
        ended(self.child).await
    }
}

async fn ended(child: Arc<Handle>) -> anyhow::Result<()> {
    let status = spawn_blocking(move || child.wait().map(|output| output.status)).await??;
    pass_on(status)
}

/// The service that tests of this checkout find by themselves, started where it does not run.
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

/// The same for commands that only need to reach it.
pub(crate) async fn shared_host(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    Ok(shared(checkout).await?.0)
}

/// The same for commands that need none to be started: the server that tests of this checkout have their databases on.
pub(crate) async fn shared_server(checkout: &Checkout) -> anyhow::Result<Option<PgConnectOptions>> {
    if let Ok(report) = tests::service::report(&tests::service::shared_socket(&checkout.root)?).await {
        return Ok(Some(report.server.parse()?));
    }
    let postgres = checkout.project()?.postgres;
    let Chosen::Url(..) = choose(checkout, &postgres)? else { return Ok(None) };
    Ok(Some(server::start(checkout, &postgres).await?.options))
}

/// Ends the hosts of this checkout that nobody uses. How many that were.
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

/// Starts a host, tells what it tells, and waits until it is ready.
async fn start(
    checkout: &Checkout,
    socket: &Path,
    surround: impl FnOnce(duct::Expression) -> duct::Expression,
    more: &[&str],
    tell: fn(&str),
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
    // Ours may be gone while it lives on, and then whoever reads it would wait for the end.
    let (complaints, error_output) = pipe()?;
    // In one go: the ends of the pipes that are for the child must not stay open here.
    let child = surround(cmd(this, words).stderr_file(error_output))
        .env(ROOT, &checkout.root)
        .stdout_file(output)
        .unchecked()
        .before_spawn(|command| {
            // Ctrl-C in the terminal is for us to tell it.
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
                Err(_) => tell(&line),
            }
        }
        None
    });
    tokio::select! {
        ready = ready => match ready? {
            Some(url) => Ok((child, url)),
            None => {
                let ended = ended(child).await;
                // It has said why. Somebody who outlives it may have that pipe too.
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
