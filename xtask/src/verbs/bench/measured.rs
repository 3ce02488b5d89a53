//! What the benchmark needs of servers in Docker.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::anyhow;
use cluster::{Native, new_password};
use migrations::Postgres;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::{
    checkout::library,
    helpers::{built, package::Refusal},
    server::{
        container,
        docker::{self, TestContainer},
    },
};

/// The containers of a benchmark's own checkout, which end with this.
pub(crate) struct Containers {
    /// What they are found by.
    pub(crate) repository: String,
    pub(crate) image: String,
    /// The program that does with testcontainers alone what `time_test_server` measures.
    pub(crate) bare: PathBuf,
}

impl Containers {
    /// Builds what they are made by, so that no figure has it in it.
    pub(crate) fn of_checkout(checkout: &Path, postgres: &Postgres) -> anyhow::Result<Containers> {
        let native = Native::of_checkout(checkout, postgres.version, &postgres.database)?;
        docker::PACKAGE.program()?;
        Ok(Containers {
            repository: container::repository(&native),
            image: container::image(postgres),
            bare: built::build(library(), docker::PACKAGE.name, &["--example", "bare"], "bare")?,
        })
    }

    /// How long a test server takes from nothing to its first answer.
    pub(crate) async fn time_test_server(&self, postgres: &Postgres) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let (user, password) = (&postgres.database, new_password());
        let started = TestContainer::start(&self.image, user, &password, postgres.version).await?;
        let elapsed = start.elapsed();
        started.map_err(|refusal| anyhow!(refusal.message))?.stop().await?;
        Ok(elapsed)
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let request = json!({ "repository": self.repository });
        // There is nobody to tell about it here; what is labelled as a test server goes with a later sweep.
        let _: anyhow::Result<Result<IgnoredAny, Refusal>> = docker::PACKAGE.ask_now("remove", &request);
    }
}
