//! Which server this checkout's database lives on, and the verb that starts and stops it.
//!
//! A server ends at its connection options: whatever comes after takes those and knows no kind of server.

mod account;
mod archive;
mod binaries;
mod built;
mod cache;
mod choice;
mod cluster;
mod container;
mod docker;
mod download;
mod ephemeral;
mod folder;
mod host;
mod launch;
mod login;
mod measured;
pub(crate) mod native;
mod owned;
mod package;
mod pidfile;
mod programs;
mod revive;
mod state;
mod test_server;
mod url;
mod verb;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use ::url::Url;
use anyhow::{Context, bail};
use migrations::Postgres;
use sqlx::postgres::PgConnectOptions;

use self::{
    account::Account,
    choice::{Own, Settled, instead, remember},
    cluster::{Cluster, Purpose},
    native::{Native, Startup},
    url::set_database,
};
pub(crate) use self::{
    built::{awaited, program},
    choice::{Chosen, Kind, choose},
    ephemeral::Ephemeral,
    host::{Host, shared_host, shared_server},
    measured::Containers,
    package::{Package, line},
    programs::Programs,
    test_server::TestServer,
    url::redacted,
    verb::{Args, report},
};
use crate::{checkout::Checkout, output};

/// Bytes of a name that Postgres keeps.
const LONGEST_NAME: usize = 63;

/// A server that we know how to reach.
pub(crate) struct Server {
    /// How to connect to the development database on it.
    pub(crate) options: PgConnectOptions,
    /// That as a connection string, password included.
    pub(crate) url: Url,
    /// Where it comes from, and why that one.
    pub(crate) origin: Origin,
    /// What it took to have it running.
    pub(crate) started: Startup,
}

/// Where a server comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A connection string, and where it stands.
    Url(&'static str),
    /// Binaries of this machine or downloaded ones, and why those.
    Native(Programs, String),
    /// A container, and why that.
    Docker {
        /// Its name.
        container: String,
        /// Why Docker.
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
    /// The name of the development database.
    pub(crate) fn database(&self) -> &str {
        self.options.get_database().unwrap_or_default()
    }

    /// The same server with another development database.
    fn with(mut self, database: &str) -> Server {
        self.options = self.options.database(database);
        set_database(&mut self.url, database);
        self
    }

    /// Its connection string without the password.
    pub(crate) fn redacted(&self) -> String {
        redacted(&self.url)
    }

    /// `started`, `created` or nothing new, and how long that took.
    pub(crate) fn state(&self) -> (&'static str, Option<Duration>) {
        match self.started {
            Startup::AlreadyRunning => ("kept", None),
            Startup::Started { elapsed } => ("started", Some(elapsed)),
            Startup::Created { elapsed } => ("created", Some(elapsed)),
        }
    }
}

/// Finds the server that this checkout uses; makes and starts what is missing of a server of our own.
pub(crate) async fn find(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Server> {
    start(checkout, postgres, choose(checkout, postgres)?).await
}

async fn start(checkout: &Checkout, postgres: &Postgres, chosen: Chosen) -> anyhow::Result<Server> {
    let own = match chosen {
        Chosen::Url(url, place) => return from_url(url, place, postgres),
        Chosen::Own(own) => own,
    };
    let database = own.database.clone();
    let server = start_own(checkout, postgres, own).await?;
    Ok(match database {
        Some(database) => server.with(&database),
        None => server,
    })
}

async fn start_own(checkout: &Checkout, postgres: &Postgres, own: Own) -> anyhow::Result<Server> {
    let native = Native::of_checkout(&checkout.root, postgres.version, &postgres.database)?;
    let (programs, why) = match own.kind {
        Kind::Native(programs) => (programs, own.why),
        Kind::Docker => match container::start(checkout, postgres, &native, &own.why).await? {
            Ok(server) => {
                remember(native.folder(), Kind::Docker).await?;
                return Ok(server);
            }
            Err(refusal) => instead(&own, &refusal, postgres)?,
        },
    };
    let server = start_native(&native.with(programs), postgres, why).await?;
    remember(native.folder(), Kind::Native(programs)).await?;
    Ok(server)
}

/// The same for commands that need a database that is there already: they make no server, and what it took to start
/// theirs is told on standard error.
pub(crate) async fn find_existing(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Server> {
    let chosen = choose(checkout, postgres)?;
    if let Chosen::Own(Own { settled: Settled::No, .. }) = chosen {
        bail!("this checkout has no database yet\n  make it: cargo xtask db-setup");
    }
    let server = start(checkout, postgres, chosen).await?;
    if let (state, Some(elapsed)) = server.state() {
        output::remark(&format!("server {state}: {}, {}", server.origin, output::time(elapsed)));
    }
    Ok(server)
}

fn from_url(mut url: Url, place: &'static str, postgres: &Postgres) -> anyhow::Result<Server> {
    if url.path().trim_matches('/').is_empty() {
        set_database(&mut url, &postgres.database);
    }
    let options = migrations::database::options(url.as_str())
        .with_context(|| format!("read DATABASE_URL ({place}), which is {}", redacted(&url)))?;
    let name = options.get_database().unwrap_or_default();
    if name.len() > LONGEST_NAME {
        bail!(
            "DATABASE_URL ({place}) names a database of more than {LONGEST_NAME} bytes, which Postgres would cut: `{name}`"
        );
    }
    Ok(Server { options, url, origin: Origin::Url(place), started: Startup::AlreadyRunning })
}

async fn start_native(native: &Native, postgres: &Postgres, why: String) -> anyhow::Result<Server> {
    let running = native.ensure_running().await?;
    for note in &running.notes {
        output::remark(note);
    }
    let options = running.options.database(&postgres.database);
    let url = plain_url(&options, &running.password)?;
    Ok(Server { options, url, origin: Origin::Native(native.programs, why), started: running.started })
}

/// A connection string as people write it. sqlx's own lists settings of the client that only sqlx knows.
fn plain_url(options: &PgConnectOptions, password: &str) -> anyhow::Result<Url> {
    let address = format!("postgres://{}:{}", options.get_host(), options.get_port());
    let mut url = Url::parse(&address).with_context(|| format!("make a URL of {address}"))?;
    set_database(&mut url, options.get_database().unwrap_or_default());
    // Both fail only for a URL without a host.
    let _ = url.set_username(options.get_username());
    let _ = url.set_password(Some(password));
    Ok(url)
}

/// How long initdb alone takes here, for the benchmark. It makes a data directory in `folder`.
pub(crate) async fn time_initdb(folder: &Path, postgres: &Postgres) -> anyhow::Result<Duration> {
    let binaries = binaries::find(postgres.version, None)?;
    let account = Account::choose()?;
    folder::ensure(folder, folder::Access::Private)?;
    let cluster = Cluster::new(folder, folder.join("server.log"));
    let start = Instant::now();
    let purpose = Purpose::Lasting { password: "password" };
    cluster.create(&binaries, &account, &postgres.database, purpose).await?;
    Ok(start.elapsed())
}

/// How long a test server takes from nothing to its first answer.
pub(crate) async fn time_test_server(postgres: &Postgres) -> anyhow::Result<Duration> {
    let server = Ephemeral::start(Programs::OfThisMachine, postgres.version, &postgres.database).await?;
    let elapsed = server.elapsed();
    server.stop().await?;
    Ok(elapsed)
}

/// The psql that came with the server's programs.
pub(crate) fn psql_of_binaries(postgres: &Postgres) -> Option<PathBuf> {
    let psql = binaries::find(postgres.version, None).ok()?.program("psql");
    psql.is_file().then_some(psql)
}
