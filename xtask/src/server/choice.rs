//! Chooses the kind of server for a checkout, says why, and remembers it: the development database must not move to
//! another server only because a Docker daemon happens to run today.

use std::{fmt, path::Path};

use anyhow::{anyhow, bail};
use cluster::{
    Native, Status,
    binaries::{find_binaries, named_folder},
    folder::{self, Access, write_private},
};
use migrations::Postgres;
use url::Url;
use xtask_protocol::Refusal;

use crate::{
    checkout::{Checkout, ServerChoice},
    server::{
        container, docker, download,
        programs::{Programs, native_server, own_server},
        reached::Server,
        url::database_url,
    },
    terminal::output,
};

/// The name of the file in the checkout's state folder.
const FILE: &str = "server-kind";

/// The server that a checkout uses.
#[derive(Debug, Clone)]
pub(crate) enum Chosen {
    /// The server of a connection string, and where that is written.
    Url(Url, &'static str),
    /// A server that we start ourselves.
    Own(Own),
}

/// A server that we start ourselves.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) kind: Kind,
    /// Why this kind, in a few words.
    pub(crate) why: String,
    /// Whether to try another kind if this one does not start.
    pub(crate) settled: Settled,
    /// The database that DATABASE_URL names on it; `None` for the usual one.
    pub(crate) database: Option<String>,
}

/// The kinds of server that we start ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Docker,
    Native(Programs),
}

const NATIVE: Kind = Kind::Native(Programs::OfThisMachine);
const DOWNLOAD: Kind = Kind::Native(Programs::Downloaded);

/// Whether the choice of a kind is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The user or an earlier command chose it.
    Yes,
    /// It is the first kind that seems to be available.
    No,
}

impl Own {
    fn new(kind: Kind, why: &str, settled: Settled) -> Own {
        Own { kind, why: why.to_owned(), settled, database: None }
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Docker => "docker",
            NATIVE => "native",
            DOWNLOAD => "download",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Docker => f.write_str("Docker"),
            Kind::Native(programs) => programs.fmt(f),
        }
    }
}

/// Chooses a server. Starts nothing.
pub(crate) fn choose(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Chosen> {
    let chosen = |kind| Ok(Chosen::Own(Own::new(kind, "chosen", Settled::Yes)));
    match checkout.server_choice(postgres)? {
        ServerChoice::Url => match database_url(&checkout.root)? {
            Some((url, place)) => Ok(Chosen::Url(url, place)),
            None => bail!(
                "DATABASE_URL is not set, neither in the environment nor in .env\n  set it: export \
                 DATABASE_URL=postgres://user:password@localhost:5432/{}\n  or use a server from this machine's \
                 binaries: --server native, or from downloaded ones: --server download",
                postgres.database
            ),
        },
        ServerChoice::Docker => chosen(Kind::Docker),
        ServerChoice::Native => chosen(NATIVE),
        ServerChoice::Download => chosen(DOWNLOAD),
        ServerChoice::Auto => match database_url(&checkout.root)? {
            Some((url, place)) => choose_by_url(checkout, postgres, url, place),
            None => Ok(Chosen::Own(choose_own(checkout, postgres)?)),
        },
    }
}

/// Chooses a server for a moment that we start ourselves, whatever DATABASE_URL names. If the kind of the development server
/// can't start, another one will do, unless the user asked for it.
pub(crate) fn choose_ours(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Own> {
    if let (ServerChoice::Docker | ServerChoice::Native | ServerChoice::Download, Chosen::Own(own)) =
        (checkout.server_choice(postgres)?, choose(checkout, postgres)?)
    {
        return Ok(own);
    }
    Ok(Own { settled: Settled::No, ..choose_own(checkout, postgres)? })
}

/// The server of a connection string. If it is one of our own, whose URL was written down for other programs, then that
/// one is started as usual.
fn choose_by_url(
    checkout: &Checkout,
    postgres: &Postgres,
    url: Url,
    place: &'static str,
) -> anyhow::Result<Chosen> {
    let native = own_server(checkout, postgres)?;
    let download = native_server(checkout, Programs::Downloaded, postgres)?;
    let kind = if is_url_of(&native, &url) {
        NATIVE
    } else if is_url_of(&download, &url) {
        DOWNLOAD
    } else if container::is_url_of(native.folder(), &url) {
        Kind::Docker
    } else {
        return Ok(Chosen::Url(url, place));
    };
    let database = Some(Server::from_url(url, place, postgres)?.database().to_owned());
    Ok(Chosen::Own(Own { database, ..Own::new(kind, "DATABASE_URL is its own", Settled::Yes) }))
}

/// Whether a connection string belongs to this server; its port may have changed since.
fn is_url_of(native: &Native, url: &Url) -> bool {
    url.host_str() == Some("127.0.0.1") && native.has_role(url.username(), url.password().unwrap_or_default())
}

/// The kind of server that this checkout used before, else the first that this machine can run.
fn choose_own(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Own> {
    let native = own_server(checkout, postgres)?;
    let as_before = |kind| Ok(Own::new(kind, "as before", Settled::Yes));
    if let Some(kind) = remembered(native.folder()) {
        return as_before(kind);
    }
    // Its first start was killed before the kind was recorded, or its data is damaged, which its start reports best.
    if exists(&native) {
        return as_before(NATIVE);
    }
    if exists(&native_server(checkout, Programs::Downloaded, postgres)?) {
        return as_before(DOWNLOAD);
    }
    Ok(match docker::daemon_answers() {
        Ok(()) => Own::new(Kind::Docker, "its daemon answers", Settled::No),
        Err(why) => {
            let (programs, why) = without_docker(why, postgres);
            Own::new(Kind::Native(programs), &why, Settled::No)
        }
    })
}

fn exists(native: &Native) -> bool {
    !matches!(native.status(), Ok(Status::Absent))
}

/// This machine's programs, or downloaded ones if it has none. If the folder that the user named has none, or there is no
/// download for this machine, starting the server reports that.
fn without_docker(why: String, postgres: &Postgres) -> (Programs, String) {
    let wanted = postgres.version;
    if named_folder().is_some() || !download::exists(wanted) || find_binaries(wanted, None).is_ok() {
        return (Programs::OfThisMachine, why);
    }
    let why = format!("{why}, no PostgreSQL {wanted} or newer on this machine");
    (Programs::Downloaded, why)
}

/// Records the kind for the next command, and says so if it changed.
pub(super) async fn remember(folder: &Path, kind: Kind) -> anyhow::Result<()> {
    let before = remembered(folder);
    if before == Some(kind) {
        return Ok(());
    }
    folder::ensure(folder, Access::Private)?;
    let _lock = folder::lock(&folder.join(folder::LOCK), container::LOCK_PATIENCE).await?;
    write_private(&folder.join(FILE), kind.word())?;
    if let Some(before) = before {
        output::remark(&format!(
            "this checkout's database was on the {before} server and is now on the {kind} one; the old one is unchanged, \
             and --server {} goes back to it",
            before.word()
        ));
    }
    Ok(())
}

fn remembered(folder: &Path) -> Option<Kind> {
    let word = folder::read_private(&folder.join(FILE))?;
    [Kind::Docker, NATIVE, DOWNLOAD].into_iter().find(|kind| kind.word() == word.trim())
}

/// What to use if Docker can't: the programs of a native server and the reason. Fails if the choice of Docker was final.
pub(crate) fn instead(
    own: &Own,
    refusal: &Refusal,
    postgres: &Postgres,
) -> anyhow::Result<(Programs, String)> {
    if own.settled == Settled::Yes {
        return Err(anyhow!("{}", refusal.message));
    }
    let why = refusal.message.lines().next().unwrap_or_default();
    Ok(without_docker(format!("no Docker: {why}"), postgres))
}
