//! What the benchmark needs of servers in Docker.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::anyhow;
use migrations::Postgres;
use xtask_protocol::docker::Remove;

use super::{
    built, container,
    docker::{self, TestContainer},
    native::Native,
    state::new_password,
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
    pub(crate) fn of(checkout: &Path, postgres: &Postgres) -> anyhow::Result<Containers> {
        let native = Native::of_checkout(checkout, postgres.version, &postgres.database)?;
        docker::PACKAGE.program()?;
        Ok(Containers {
            repository: container::repository(&native),
            image: container::image(postgres),
            bare: built::build(docker::PACKAGE.name, &["--example", "bare"], "bare")?,
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
        let request = Remove { repository: self.repository.clone() };
        // There is nobody to tell about it here; what is labelled as a test server goes with a later sweep.
        let _ = docker::PACKAGE.ask_blocking(&request);
    }
}
