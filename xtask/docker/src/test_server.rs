//! A server in memory for tests and proofs. It lives until our standard input closes or a signal comes.

use std::{
    io::{self, Read as _},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use testcontainers::runners::AsyncRunner as _;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::{sleep, timeout},
};
use xtask_protocol::{
    Kind, Refusal,
    docker::{ServerAnswer, StartTest, Startup},
    endpoint::WITHOUT_DOCKER,
    program::{self, note},
};

use crate::{
    engine::{Engine, OWNER, ROLE, Role},
    failure::{failure, refusal},
    image,
    owner::Owner,
    ready::{Answered, Login},
    spec::{Data, Server},
    sweep,
};

/// Creating and starting a container takes seconds under load, and must end before the container can be removed.
const TO_START: Duration = Duration::from_secs(60);
/// A removal that the engine refuses is tried again, because another removal may be under way.
const REMOVALS: usize = 20;

pub(crate) async fn run(engine: &Engine, request: StartTest) -> anyhow::Result<()> {
    // At the same time, because removing a container takes a fifth of a second and the new one need not wait for it.
    let (served, ()) = tokio::join!(serve(engine, &request), clear(engine));
    served
}

/// Removes what killed commands left behind.
async fn clear(engine: &Engine) {
    match sweep::run(engine).await {
        Ok(swept) if swept.removed.is_empty() => {}
        Ok(swept) => {
            note(&format!("removed what a killed command left behind: {}", swept.removed.join(", ")));
        }
        // The next command tries again.
        Err(error) => note(&format!("could not remove what a killed command left behind: {error:#}")),
    }
}

async fn serve(engine: &Engine, request: &StartTest) -> anyhow::Result<()> {
    let mut end = End::listen()?;
    tokio::select! {
        biased;
        () = end.requested() => return Err(ended_early()),
        image = image::ensure(engine, &request.image, request.major) => image?,
    };
    let name = container_name();
    // Not cancelled when a signal comes meanwhile: the engine may still carry out a request that was dropped midway.
    let mut starting = tokio::spawn(server(request).request(&name, labels()).start());
    let login = Login { user: &request.user, password: &request.password };
    let lived = async {
        tokio::select! {
            biased;
            () = end.requested() => {
                let _ = timeout(TO_START, &mut starting).await;
                return Err(ended_early());
            }
            started = &mut starting => started??,
        };
        let answered = tokio::select! {
            biased;
            () = end.requested() => return Err(ended_early()),
            answered = login.wait(engine, &name) => answered?,
        };
        let answered = answered.context("the new server refuses its own password")?;
        if program::answer(answer(request, &login, &name, answered)).is_ok() {
            end.requested().await;
        }
        Ok(())
    };
    let lived = lived.await;
    let removed = remove(engine, &name).await;
    lived.map_err(|error| with_remedy(&error))?;
    removed
}

/// Readable in `docker ps`, and unique.
fn container_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("xtask-test-{}-{:x}", std::process::id(), now.as_micros())
}

fn labels() -> Vec<(&'static str, String)> {
    vec![(ROLE, Role::Test.label().to_owned()), (OWNER, Owner::this_process().to_string())]
}

fn server(request: &StartTest) -> Server {
    let data = Data::Memory { megabytes: request.megabytes };
    Server::new(&request.image, request.major, &data)
        .for_user(&request.user, &request.password, "postgres")
        .throwaway()
}

fn answer(request: &StartTest, login: &Login<'_>, name: &str, answered: Answered) -> ServerAnswer {
    ServerAnswer {
        url: login.url(answered.port, "postgres"),
        container: name.to_owned(),
        image: request.image.clone(),
        state: Startup::Created,
        version: answered.version,
    }
}

fn ended_early() -> anyhow::Error {
    failure(Kind::Other, "the test server was ended before it was ready; nothing of it is left")
}

fn with_remedy(error: &anyhow::Error) -> anyhow::Error {
    let Refusal { kind, message } = refusal(error);
    let remedy = match kind {
        Kind::Died => format!("\n  {WITHOUT_DOCKER}"),
        Kind::DiskFull => {
            format!(
                "\n  its data is in memory; {WITHOUT_DOCKER}\n  or see how much memory is free: free --human"
            )
        }
        _ => String::new(),
    };
    failure(kind, format!("{message}{remedy}"))
}

async fn remove(engine: &Engine, name: &str) -> anyhow::Result<()> {
    for _ in 0..REMOVALS {
        engine.remove(name).await?;
        if engine.inspect(name).await?.is_none() {
            return Ok(());
        }
        sleep(Duration::from_millis(100)).await;
    }
    Err(failure(
        Kind::Other,
        format!("the container {name} could not be removed\n  docker rm --force --volumes {name}"),
    ))
}

/// The requests to end: signals, and the end of standard input, which also comes when the calling process was killed.
struct End {
    input: oneshot::Receiver<()>,
    signals: [Signal; 3],
    came: bool,
}

impl End {
    fn listen() -> anyhow::Result<End> {
        let listen = |kind| signal(kind).context("listen for Ctrl-C");
        let signals = [
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ];
        let (sender, input) = oneshot::channel();
        // On a thread of its own, because a read of standard input can't be cancelled, and the runtime would wait for it.
        thread::spawn(move || {
            let mut rest = [0; 64];
            while matches!(io::stdin().read(&mut rest), Ok(count) if count > 0) {}
            // The receiver may be gone already.
            let _ = sender.send(());
        });
        Ok(End { input, signals, came: false })
    }

    async fn requested(&mut self) {
        if !self.came {
            let [interrupt, terminate, hangup] = &mut self.signals;
            tokio::select! {
                _ = &mut self.input => {}
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            self.came = true;
        }
    }
}
