//! The program of another package of this workspace, so that only people who need it compile it.
//!
//! Cargo builds the program when it is needed. A line of JSON goes in and a line comes out, see `xtask_protocol`.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use duct::{Expression, cmd};
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;
use xtask_protocol::{Reply, Request};

use crate::{checkout::library, helpers::built};

/// A program of another package, which has its name.
#[derive(Clone, Copy)]
pub(crate) struct Helper {
    pub(crate) name: &'static str,
    /// What the program does, for people.
    pub(crate) does: &'static str,
}

impl Helper {
    /// Sends a request to the program and waits for its reply.
    pub(crate) async fn ask<Q>(self, request: Q) -> anyhow::Result<Reply<Q::Answer>>
    where
        Q: Request + Send + 'static,
        Q::Answer: Send + 'static,
    {
        let work = spawn_blocking(move || self.ask_blocking(&request));
        work.await.with_context(|| format!("wait for the program that {}", self.does))?
    }

    /// The same for callers that are not async.
    pub(crate) fn ask_blocking<Q: Request>(self, request: &Q) -> anyhow::Result<Reply<Q::Answer>> {
        let command = self.command(Q::VERB)?.stdin_bytes(line(request)?).stdout_capture();
        let output = command.run().with_context(|| format!("start the program that {}", self.does))?;
        self.read(&output.stdout)
    }

    /// Reads a reply.
    pub(crate) fn read<T: DeserializeOwned>(self, line: &[u8]) -> anyhow::Result<Reply<T>> {
        if line.is_empty() {
            // Cargo or the program has printed the reason on standard error.
            return Err(anyhow!(
                "the program that {} gave no answer\n  build it: cargo build --package {}",
                self.does,
                self.name
            ));
        }
        // Without the line itself: it may hold a password.
        serde_json::from_slice(line).map_err(|error| {
            anyhow!(
                "the program that {} gave an answer of another version: {error}\n  build it: cargo build --package {}",
                self.does,
                self.name
            )
        })
    }

    pub(crate) fn command(self, verb: &str) -> anyhow::Result<Expression> {
        Ok(cmd(self.program()?, [verb]).dir(library()).unchecked())
    }

    /// Whether it was ever built here.
    pub(crate) fn is_built(self) -> bool {
        built::is_there(library(), self.name)
    }

    /// Its program, up to date.
    pub(crate) fn program(self) -> anyhow::Result<PathBuf> {
        built::program_or_first_build(library(), self.name, self.does)
    }
}

/// A request as the program reads it.
pub(crate) fn line<Q: Request>(request: &Q) -> anyhow::Result<String> {
    Ok(serde_json::to_string(request)? + "\n")
}
