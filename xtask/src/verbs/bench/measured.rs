//! The containers that the benchmark starts.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use cluster::{Native, new_password};
use migrations::Postgres;
use xtask_protocol::{Reply, docker::Remove};

use crate::{
    checkout::library,
    helpers::built,
    server::{
        container,
        docker::{self, TestContainer},
    },
};

/// The containers of the benchmark's checkout, which are removed when this is dropped.
pub(super) struct Containers {
    /// The label that marks them.
    pub(super) repository: String,
    pub(super) image: String,
    /// A program that starts the same server as `time_test_server` with testcontainers alone.
    pub(super) bare: PathBuf,
}

impl Containers {
    /// Builds the programs that start them, so that no figure includes a build.
    pub(super) fn of_checkout(checkout: &Path, postgres: &Postgres) -> anyhow::Result<Containers> {
        let native = Native::of_checkout(checkout, postgres.version, &postgres.main)?;
        docker::PACKAGE.program()?;
        Ok(Containers {
            repository: container::repository(&native),
            image: container::image(postgres),
            bare: built::build(library(), docker::PACKAGE.name, &["--example", "bare"], "bare")?,
        })
    }

    /// How long a test server takes from nothing to its first answer.
    pub(super) async fn time_test_server(&self, postgres: &Postgres) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let (user, password) = (&postgres.main, new_password());
        let started = TestContainer::start(&self.image, user, &password, postgres.version).await?;
        let elapsed = start.elapsed();
        match started {
            Reply::Answer(container) => container.stop().await?,
            Reply::Error(refusal) => return Err(refusal.into()),
        }
        Ok(elapsed)
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let request = Remove { repository: self.repository.clone() };
        // There is no caller here to report a failure to, and a later sweep removes what is labelled as a test server.
        let _ = docker::PACKAGE.ask_blocking(&request);
    }
}
