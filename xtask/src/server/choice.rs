//! Which kind of server a checkout uses, why that one, and remembering it: the development database must not move from
//! one server to another by itself, because a daemon happens to run today.

use std::{fmt, fs, path::Path};

use anyhow::{anyhow, bail};
use migrations::Postgres;
use url::Url;
use xtask_protocol::Refusal;

use super::{
    binaries, container, docker, download,
    folder::{self, Access, write_private},
    native::{Native, Status},
    programs::Programs,
    url::database_url,
};
use crate::{checkout::Checkout, cli::ServerChoice, output};

/// Name of the file in the checkout's state folder.
const FILE: &str = "server-kind";

/// What a checkout uses.
#[derive(Debug, Clone)]
pub(crate) enum Chosen {
    /// A connection string, and where it stands.
    Url(Url, &'static str),
    /// One of those that are ours to start.
    Own(Own),
}

/// A server of our own.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) kind: Kind,
    /// Why this kind, in a few words.
    pub(crate) why: String,
    /// Whether another kind may be tried where this one can't be had.
    pub(crate) settled: Settled,
    /// The database on it that DATABASE_URL names; without that the usual one.
    pub(crate) database: Option<String>,
}

/// The kinds of server that are ours to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Docker,
    Native(Programs),
}

const NATIVE: Kind = Kind::Native(Programs::OfThisMachine);
const DOWNLOAD: Kind = Kind::Native(Programs::Downloaded);

/// Whether a kind was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// By the user, or by an earlier command.
    Yes,
    /// It is the first that seems to be there.
    No,
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

/// Decides, and starts nothing.
pub(crate) fn choose(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Chosen> {
    let own = |kind, why: &str, settled| {
        Ok(Chosen::Own(Own { kind, why: why.to_owned(), settled, database: None }))
    };
    match checkout.server_choice(postgres)? {
        ServerChoice::Url => match database_url(&checkout.root)? {
            Some((url, place)) => Ok(Chosen::Url(url, place)),
            None => bail!(
                "DATABASE_URL is not set, neither in the environment nor in .env\n  set it: export \
                 DATABASE_URL=postgres://user:password@localhost:5432/{}\n  or use a server of this machine's \
                 binaries: --server native, or of downloaded ones: --server download",
                postgres.database
            ),
        },
        ServerChoice::Docker => own(Kind::Docker, "chosen", Settled::Yes),
        ServerChoice::Native => own(NATIVE, "chosen", Settled::Yes),
        ServerChoice::Download => own(DOWNLOAD, "chosen", Settled::Yes),
        ServerChoice::Auto => {
            let native = Native::of_checkout(&checkout.root, postgres.version, &postgres.database)?;
            let download = native.with(Programs::Downloaded);
            if let Some((url, place)) = database_url(&checkout.root)? {
                // The URL of our own server, written down for other programs: it starts again like without that.
                let kind = if native.is_meant_by(&url) {
                    NATIVE
                } else if download.is_meant_by(&url) {
                    DOWNLOAD
                } else if container::is_meant_by(native.folder(), &url) {
                    Kind::Docker
                } else {
                    return Ok(Chosen::Url(url, place));
                };
                let database = Some(super::from_url(url, place, postgres)?.database().to_owned());
                let why = "DATABASE_URL is its own".to_owned();
                return Ok(Chosen::Own(Own { kind, why, settled: Settled::Yes, database }));
            }
            match remembered(native.folder()) {
                Some(kind) => own(kind, "as before", Settled::Yes),
                // Its first start was cut off before it could be remembered, or it is spoilt, which its start tells best.
                None if is_there(&native) => own(NATIVE, "as before", Settled::Yes),
                None if is_there(&download) => own(DOWNLOAD, "as before", Settled::Yes),
                None => match docker::daemon_answers() {
                    Ok(()) => own(Kind::Docker, "its daemon answers", Settled::No),
                    Err(why) => {
                        let (programs, why) = without_docker(why, postgres);
                        own(Kind::Native(programs), &why, Settled::No)
                    }
                },
            }
        }
    }
}

fn is_there(native: &Native) -> bool {
    !matches!(native.status(), Ok(Status::Absent))
}

/// A server of this machine's programs, or of downloaded ones where there are none. Where a folder that was named has
/// none, or there is no download either, looking for them again tells it.
fn without_docker(why: String, postgres: &Postgres) -> (Programs, String) {
    let wanted = postgres.version;
    if binaries::named().is_some() || !download::is_there(wanted) || binaries::find(wanted, None).is_ok() {
        return (Programs::OfThisMachine, why);
    }
    let why = format!("{why}, no PostgreSQL {wanted} or newer on this machine");
    (Programs::Downloaded, why)
}

/// Keeps the kind for the next command, and says so where that is another than before.
pub(crate) async fn remember(folder: &Path, kind: Kind) -> anyhow::Result<()> {
    let before = remembered(folder);
    if before == Some(kind) {
        return Ok(());
    }
    folder::ensure(folder, Access::Private)?;
    let _lock = folder::lock(&folder.join("lock"), container::LOCK_PATIENCE).await?;
    write_private(&folder.join(FILE), kind.word())?;
    if let Some(before) = before {
        output::remark(&format!(
            "this checkout's database was on the {before} server and is now on the {kind} one; the old one stays as it was, \
             and --server {} goes back to it",
            before.word()
        ));
    }
    Ok(())
}

fn remembered(folder: &Path) -> Option<Kind> {
    let word = fs::read_to_string(folder.join(FILE)).ok()?;
    [Kind::Docker, NATIVE, DOWNLOAD].into_iter().find(|kind| kind.word() == word.trim())
}

/// What a refusal of Docker means for this choice: the end, or a native server and why.
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
