//! A database straight from the server that the environment names, where no service lends any.
//!
//! A thread of this process does the work of the service for one loan, and answers as the service does. So the borrower can
//! be a test on any runtime, and can give the database back while it unwinds.

use std::{
    env,
    os::unix::net::UnixStream,
    sync::LazyLock,
    thread::{self, JoinHandle},
};

use anyhow::{Context, anyhow, bail};
use migrations::Report;
use sqlx::postgres::PgConnectOptions;
use tests_client::{Answer, Line, Loan, Recipe, Request, SERVER, Usage, checkout};

use crate::{
    owner::{Owner, maintenance},
    scratch::{self, Scratch},
    sources::Sources,
    template,
};

/// Shared by all loans, so that the files are read once a process.
static SOURCES: LazyLock<Result<Sources, tests_client::Error>> =
    LazyLock::new(|| checkout().map(Sources::new));

/// The thread behind a loan. When this is dropped it waits until the thread has removed the database.
pub(crate) struct Maker {
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Maker {
    /// For a loan from a service, which needs no thread.
    pub(crate) fn none() -> Maker {
        Maker { thread: None }
    }

    /// Waits until the database is removed. The connection of the loan must be closed already.
    ///
    /// # Errors
    /// If it could not be removed.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.join()
    }

    fn join(&mut self) -> anyhow::Result<()> {
        let ended = self.thread.take().map(JoinHandle::join);
        ended.unwrap_or(Ok(Ok(()))).map_err(|_| anyhow!("the thread that makes databases panicked"))?
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        // A database that could not be removed has no owner from now on, and is swept.
        let _ = self.join();
    }
}

/// Makes a database and lends it.
pub(crate) fn lend(recipe: &Recipe, usage: Usage, test: &str) -> anyhow::Result<(Loan, Maker)> {
    let (ours, its) = UnixStream::pair().context("open a pair of sockets")?;
    let thread = thread::Builder::new().name("scratch databases".to_owned());
    let thread = thread.spawn(move || serve(Line::new(its))).context("start a thread")?;
    let maker = Maker { thread: Some(thread) };
    Ok((Loan::take(Line::new(ours), recipe, usage, test)?, maker))
}

fn serve(mut line: Line) -> anyhow::Result<()> {
    let Some(Request::Take { recipe, test, .. }) = line.receive()? else {
        bail!("the first request takes a database")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let scratch = match runtime.block_on(make(&recipe)) {
        Ok(scratch) => scratch,
        Err(error) => return Ok(line.send(&Answer::Error(Report::new(error.as_ref()).to_string()))?),
    };
    line.send(&Answer::Lent { url: scratch.url() })?;
    // If the borrower is gone, it needs nothing more.
    let last = line.receive().unwrap_or_default();
    if let Some(Request::Keep) = last {
        let kept = runtime.block_on(scratch.keep(&test));
        let answer = kept
            .map_or_else(|error| Answer::Error(Report::new(error.as_ref()).to_string()), |()| Answer::Done);
        return Ok(line.send(&answer)?);
    }
    if last.is_some() {
        // Cleaned or spoilt: no other test would get it anyway.
        line.send(&Answer::Done)?;
    }
    runtime.block_on(scratch.discard())
}

async fn make(recipe: &Recipe) -> anyhow::Result<Scratch> {
    let server = server()?;
    // Cleaning in place helps only a service, which lends the database again.
    let mut recipe = recipe.clone();
    recipe.recyclable = false;
    let sources = SOURCES.as_ref().map_err(|error| anyhow!("{error:?}"))?;
    let (project, _) = sources.project(&recipe)?;
    let mut conn = maintenance(&server).await?;
    let owner = Owner::new(&mut conn).await?;
    let template = template::ensure(&mut conn, &server, &owner, &project, &recipe).await?;
    Scratch::lend(&server, conn, owner, &template).await
}

/// The test server that the environment names.
fn server() -> anyhow::Result<PgConnectOptions> {
    let url = env::var(SERVER).with_context(|| format!("read {SERVER}"))?;
    scratch::options(&url).with_context(|| format!("read {SERVER}"))
}
