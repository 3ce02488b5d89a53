//! A server that runs: its origin, its connection options, and its URL.

use std::{fmt, time::Duration};

use ::url::Url;
use anyhow::{Context, bail};
use cluster::Startup;
use migrations::{LONGEST_NAME, Postgres};
use sqlx::postgres::PgConnectOptions;

use crate::{
    server::{
        programs::Programs,
        url::{redacted, set_database},
    },
    terminal::output::Steps,
};

/// A server that runs, or that the user says runs.
#[derive(Clone)]
pub(crate) struct Server {
    /// How to connect to the development database on it.
    pub(crate) options: PgConnectOptions,
    /// The same as a connection string, with the password.
    pub(crate) url: Url,
    /// Where it comes from, and why we use it.
    pub(crate) origin: Origin,
    /// Whether it had to be created or started.
    pub(crate) started: Startup,
}

/// Where a server comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A connection string, and where it is written.
    Url(&'static str),
    /// This machine's programs or downloaded ones, and why those.
    Native(Programs, String),
    /// A container.
    Docker {
        /// The container's name.
        container: String,
        /// Why we use Docker.
        why: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Url(place) => write!(f, "DATABASE_URL ({place})"),
            Origin::Native(programs, why) => write!(f, "{programs} ({why})"),
            Origin::Docker { why, .. } => write!(f, "Docker ({why})"),
        }
    }
}

impl Server {
    /// The server of a connection string that is written in `place`, which may name the main database.
    pub(super) fn from_url(mut url: Url, place: &'static str, postgres: &Postgres) -> anyhow::Result<Server> {
        if postgres.is_other() || url.path().trim_matches('/').is_empty() {
            set_database(&mut url, &postgres.database);
        }
        let options = migrations::database::options(url.as_str())
            .with_context(|| format!("read DATABASE_URL ({place}), which is {}", redacted(&url)))?;
        let name = options.get_database().unwrap_or_default();
        if name.len() > LONGEST_NAME {
            bail!(
                "DATABASE_URL ({place}) names a database of more than {LONGEST_NAME} bytes, which Postgres would cut off: `{name}`"
            );
        }
        Ok(Server { options, url, origin: Origin::Url(place), started: Startup::AlreadyRunning })
    }

    /// The name of the development database.
    pub(crate) fn database(&self) -> &str {
        self.options.get_database().unwrap_or_default()
    }

    /// The same server with another development database.
    pub(crate) fn with_database(mut self, database: &str) -> Server {
        self.options = self.options.database(database);
        set_database(&mut self.url, database);
        self
    }

    /// Its connection string without the password.
    pub(crate) fn redacted(&self) -> String {
        redacted(&self.url)
    }

    /// `kept`, `started` or `created`, and how long that took.
    pub(super) fn state(&self) -> (&'static str, Option<Duration>) {
        match self.started {
            Startup::AlreadyRunning => ("kept", None),
            Startup::Started { elapsed } => ("started", Some(elapsed)),
            Startup::Created { elapsed } => ("created", Some(elapsed)),
        }
    }

    /// Prints the line that names the server and its version.
    pub(crate) fn report(&self, steps: &mut Steps, version: &str) {
        let (state, elapsed) = self.state();
        steps.done("server", &format!("PostgreSQL {version}, {}", self.origin), state, elapsed);
    }
}

/// A connection string as people write it; sqlx would add parameters that only sqlx understands.
pub(crate) fn plain_url(options: &PgConnectOptions, password: &str) -> anyhow::Result<Url> {
    let address = format!("postgres://{}:{}", options.get_host(), options.get_port());
    let mut url = Url::parse(&address).with_context(|| format!("make a URL of {address}"))?;
    set_database(&mut url, options.get_database().unwrap_or_default());
    // Both fail only for a URL without a host.
    let _ = url.set_username(options.get_username());
    let _ = url.set_password(Some(password));
    Ok(url)
}
