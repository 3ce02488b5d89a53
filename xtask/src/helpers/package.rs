//! What another package of this workspace does for us, so that nobody compiles it who does not need it.
//!
//! Its program is built by cargo when it is needed. A line of JSON goes in, a line comes out; passwords travel in those alone.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use duct::{Expression, cmd};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::{checkout::library, helpers::built};

/// A package with a program of its name.
#[derive(Clone, Copy)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// What the program does, for people.
    pub(crate) does: &'static str,
}

/// Why it can't be done, in words for people.
#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) message: String,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: Refusal,
}

impl Package {
    /// Asks for something that is done once it is answered. `Ok(Err(_))` is its refusal.
    pub(crate) async fn ask<T: DeserializeOwned + Send + 'static>(
        self,
        verb: &'static str,
        request: Value,
    ) -> anyhow::Result<Result<T, Refusal>> {
        let work = spawn_blocking(move || self.ask_now(verb, &request));
        work.await.with_context(|| format!("wait for what {}", self.does))?
    }

    /// The same where nothing else can go on meanwhile.
    pub(crate) fn ask_now<T: DeserializeOwned>(
        self,
        verb: &str,
        request: &Value,
    ) -> anyhow::Result<Result<T, Refusal>> {
        let command = self.command(verb)?.stdin_bytes(format!("{request}\n")).stdout_capture();
        let output = command.run().with_context(|| format!("start what {}", self.does))?;
        self.read(&output.stdout)
    }

    /// The answer, or the refusal.
    pub(crate) fn read<T: DeserializeOwned>(self, line: &[u8]) -> anyhow::Result<Result<T, Refusal>> {
        if let Ok(ErrorAnswer { error }) = serde_json::from_slice(line) {
            return Ok(Err(error));
        }
        let answer = serde_json::from_slice(line);
        // Cargo said on standard error what kept the package from being built.
        answer.map(Ok).map_err(|_| {
            anyhow!(
                "the package that {} gave no answer\n  build it: cargo build --package {}",
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
        built::is_there(self.name)
    }

    /// Its program, up to date.
    pub(crate) fn program(self) -> anyhow::Result<PathBuf> {
        built::program_or_first_build(library(), self.name, self.does)
    }
}
