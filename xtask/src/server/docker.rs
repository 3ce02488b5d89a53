//! A server in Docker, by way of the package `xtask-docker`: the only one that is built from testcontainers.
//!
//! `xtask` itself only checks whether a daemon answers.

use std::{
    io::{BufRead as _, BufReader, PipeWriter, Write as _, pipe},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use duct::Handle;
use tokio::task::spawn_blocking;
use xtask_protocol::{
    Refusal, Reply, Request,
    docker::{ServerAnswer, StartTest},
    endpoint::Endpoint,
};

use crate::helpers::helper::{Helper, line};

pub(crate) const PACKAGE: Helper = Helper { name: "xtask-docker", does: "talks to Docker" };

/// How long a daemon may take to answer before we do without it.
const PATIENCE: Duration = Duration::from_millis(200);

/// A test server, for as long as this lives: the end of our pipe is the end of the container, also when we are killed.
pub(crate) struct TestContainer {
    pub(crate) answer: ServerAnswer,
    child: Arc<Handle>,
    /// Closed in order to end it.
    input: Option<PipeWriter>,
}

/// Checks whether a daemon answers, without any library; the error is the reason in a few words.
pub(crate) fn daemon_answers() -> Result<(), String> {
    let short = |refusal: Refusal| refusal.summary().to_owned();
    let endpoint = Endpoint::from_environment().map_err(short)?;
    if !endpoint.is_expected() {
        return Err("no Docker daemon".to_owned());
    }
    endpoint.ping(PATIENCE).map_err(short)
}

/// Sends a request to the package, if a daemon answers: to build the package takes minutes.
pub(crate) async fn ask<Q>(request: Q) -> anyhow::Result<Reply<Q::Answer>>
where
    Q: Request + Send + 'static,
    Q::Answer: Send + 'static,
{
    match first_build_would_fail() {
        Some(refusal) => Ok(Reply::Error(refusal)),
        None => PACKAGE.ask(request).await,
    }
}

/// Why there is no need to build the package yet. Once it is built, it finds out by itself.
fn first_build_would_fail() -> Option<Refusal> {
    if PACKAGE.is_built() {
        return None;
    }
    Endpoint::from_environment().and_then(|endpoint| endpoint.ping(PATIENCE)).err()
}

impl TestContainer {
    /// Starts one and waits until it answers a query.
    pub(crate) async fn start(
        image: &str,
        user: &str,
        password: &str,
        major: u32,
    ) -> anyhow::Result<Reply<TestContainer>> {
        let request = StartTest {
            image: image.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            major,
            megabytes: None,
        };
        if let Some(refusal) = first_build_would_fail() {
            return Ok(Reply::Error(refusal));
        }
        let request = line(&request)?;
        let work = spawn_blocking(move || {
            let ((input, mut writer), (reader, output)) = (pipe()?, pipe()?);
            let child = PACKAGE
                .command(StartTest::VERB)?
                .stdin_file(input)
                .stdout_file(output)
                .start()
                .context("start the program that talks to Docker")?;
            // A program that refuses before it reads this has still written its reply.
            let _ = writer.write_all(request.as_bytes());
            let mut line = String::new();
            BufReader::new(reader).read_line(&mut line)?;
            Ok(match PACKAGE.read(line.as_bytes())? {
                Reply::Answer(answer) => {
                    Reply::Answer(TestContainer { answer, child: Arc::new(child), input: Some(writer) })
                }
                Reply::Error(refusal) => Reply::Error(refusal),
            })
        });
        work.await.context("wait for the program that talks to Docker")?
    }

    /// Ends it, and waits until the container is gone.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        let child = self.child.clone();
        let status = spawn_blocking(move || child.wait().map(|output| output.status)).await??;
        if !status.success() {
            bail!(
                "the test server's container could not be removed\n  look for it: docker ps --all; remove it: cargo xtask server sweep"
            );
        }
        Ok(())
    }
}
