//! The process that has a test server and lends databases on it: what `cargo xtask server host` runs.

use std::{
    fs,
    future::pending,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread,
};

use anyhow::Context;
use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};
use tests::service::{Lifetime, Service, Starter, Tenancy};
use tokio::{net::UnixListener, sync::oneshot};

use crate::{
    checkout::Checkout,
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::{interruption, or_interrupted},
        output::{self, Steps},
    },
    throwaway::test_server::TestServer,
};

/// What the starter writes when it leaves and the server is to stay.
pub(super) const STAY: &str = "stay";

/// The line for the starter: everything is ready.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// The server's connection string, password included.
    pub(super) url: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long)]
    socket: PathBuf,
    /// End with standard input
    #[arg(long)]
    attached: bool,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let mut end = if self.attached { Some(end_of_input()) } else { None };
        let mut steps = Steps::new(Format::Text);
        let found = or_interrupted(TestServer::start(checkout, &project, &mut steps)).await;
        let server = found.map_err(|error| self.quietly(error))?;
        let mut own = None;
        let served = self.serve(checkout, &server, &mut end, &mut own).await;
        let stopped = server.stop().await;
        // Last, so that its absence shows that everything is gone. Another command may have put its own there meanwhile.
        if own.is_some() && identity(&self.socket) == own {
            let _ = fs::remove_file(&self.socket);
        }
        served.map_err(|error| self.quietly(error))?;
        stopped
    }

    /// Leaves it to the starter to report that it was interrupted.
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
        own: &mut Option<Identity>,
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
        *own = identity(&self.socket);
        output::line(&serde_json::to_string(&Ready { url: server.url.to_string() })?);
        // Unless the starter asked us to stay, we end when it does, however that ends.
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

/// The device and the number of a file.
type Identity = (u64, u64);

fn identity(file: &Path) -> Option<Identity> {
    fs::symlink_metadata(file).ok().map(|it| (it.dev(), it.ino()))
}

/// Resolves when standard input ends, with true if its last line asks to stay.
fn end_of_input() -> oneshot::Receiver<bool> {
    let (sender, receiver) = oneshot::channel();
    // A thread of its own: a read of standard input can't be given up.
    thread::spawn(move || {
        let last = io::stdin().lines().map_while(Result::ok).last();
        // The receiver may be gone already.
        let _ = sender.send(last.as_deref() == Some(STAY));
    });
    receiver
}
