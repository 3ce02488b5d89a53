//! The service that tests of a checkout share when they run without `cargo xtask test`: it outlives them for some minutes.

use std::{env, ffi::OsString, fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use cluster::folder;
use sqlx::postgres::PgConnectOptions;
use tests::{
    Setup,
    service::{Borrowed, Sockets, end, is_gone, report},
};
use tokio::time::{sleep, timeout};

use crate::{
    checkout::{Checkout, SERVER_CHOICE},
    server::{self, Chosen, choose},
    terminal::{interrupt::or_interrupted, output},
    throwaway::process::{Tie, start},
};

/// How long a service that was asked to end may take for it.
const TO_END: Duration = Duration::from_secs(60);
/// How long a service may take to answer that it ends. One that is suspended, as by Ctrl-Z, never does.
const TO_ANSWER: Duration = Duration::from_secs(5);
/// How long another command may take to start the same service, and to build the program that talks to Docker first.
const LOCK_PATIENCE: Duration = Duration::from_secs(300);

/// A service that answers.
pub(crate) struct Shared {
    /// Where it listens.
    pub(crate) socket: PathBuf,
    /// `kept` or `started`.
    pub(crate) state: &'static str,
}

/// How many services may be killed while a command waits for its database.
const TRIES: usize = 5;

/// Finds the service of a checkout for the server that is meant, and starts it if it does not run.
///
/// It handles an interrupt itself: dropped in the middle, it would leave a service that is still starting.
pub(crate) async fn start_if_missing(checkout: &Checkout) -> anyhow::Result<Shared> {
    let sockets = Sockets::in_checkout(&checkout.root)?;
    let socket = meant(checkout, &sockets);
    let _lock = or_interrupted(folder::lock(&sockets.lock(), LOCK_PATIENCE)).await?;
    if or_interrupted(async { Ok(report(&socket).await.is_ok()) }).await? {
        return Ok(Shared { socket, state: "kept" });
    }
    // A killed one may have left it.
    let _ = fs::remove_file(&socket);
    start(checkout, &socket, Tie::Detached, output::remark).await?;
    Ok(Shared { socket, state: "started" })
}

/// Where the service listens for the server that is meant, which the command line can name too.
fn meant(checkout: &Checkout, sockets: &Sockets) -> PathBuf {
    sockets.shared(|name| match name {
        SERVER_CHOICE => checkout.asked_for().map(OsString::from),
        _ => env::var_os(name),
    })
}

/// Borrows a database from the service of a checkout, under a name; starts the service if necessary.
pub(crate) async fn borrow(checkout: &Checkout, setup: &Setup, name: &str) -> anyhow::Result<Borrowed> {
    let mut tries = 0;
    loop {
        let socket = start_if_missing(checkout).await?.socket;
        tries += 1;
        match or_interrupted(setup.borrow_from(&socket, name)).await {
            // It was killed while we waited.
            Err(error) if tries < TRIES && is_gone(&error) => {}
            done => return done,
        }
    }
}

/// The server that tests of a checkout have their databases on; `None` if none runs. Starts none of our own.
pub(crate) async fn server_of_tests(checkout: &Checkout) -> anyhow::Result<Option<PgConnectOptions>> {
    if let Ok(report) = report(&meant(checkout, &Sockets::in_checkout(&checkout.root)?)).await {
        return Ok(Some(tests::scratch::options(&report.server)?));
    }
    let postgres = checkout.postgres()?;
    let Chosen::Url(..) = choose(checkout, &postgres)? else { return Ok(None) };
    Ok(Some(server::start(checkout, &postgres).await?.options))
}

/// Ends the services of a checkout that no test uses, and returns how many those were.
pub(crate) async fn end_unused(checkout: &Checkout) -> anyhow::Result<usize> {
    let mut ended = 0;
    let sockets = Sockets::in_checkout(&checkout.root)?;
    for path in sockets.existing()? {
        let Ok(answer) = timeout(TO_ANSWER, end(&path)).await else {
            let path = path.display();
            bail!(
                "the test server at {path} does not answer\n  if it is suspended, continue it: pkill -CONT --full {path}"
            );
        };
        match answer {
            Ok(()) => {
                ended += 1;
                let gone = async {
                    while path.exists() {
                        sleep(Duration::from_millis(5)).await;
                    }
                };
                timeout(TO_END, gone)
                    .await
                    .with_context(|| format!("wait for the end of the test server at {}", path.display()))?;
            }
            // Its process was killed.
            Err(_) if report(&path).await.is_err() => drop(fs::remove_file(&path)),
            Err(_) => {}
        }
    }
    if sockets.existing()?.is_empty() {
        sockets.remove_passwords();
    }
    Ok(ended)
}
