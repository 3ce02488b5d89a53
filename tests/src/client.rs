//! Where a test gets its database from: the service that is named or that this checkout has, started where there is none;
//! else straight from a server.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use anyhow::{Context, bail};
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnectOptions;

use crate::{
    Scratch,
    content::Recipe,
    owner::{Owner, hex, maintenance},
    protocol::{Answer, Line, Loan, Report, Request},
    sources::Sources,
    template, workspace_root,
};

/// Names the socket of a service.
pub const SERVICE: &str = "XTASK_TEST_SERVICE";
/// Names a test server.
pub const SERVER: &str = "XTASK_TEST_URL";

/// For the databases that we make ourselves.
static SOURCES: LazyLock<Sources> = LazyLock::new(|| Sources::new(root()));

/// A database that somebody has for a while; when this goes away, so does the database.
pub struct Lent {
    by: Lender,
    url: String,
}

enum Lender {
    /// A service, for as long as the connection to it is open.
    Service(Box<Line>),
    /// Ourselves.
    Us(Box<Scratch>),
}

impl Lent {
    /// Asks for a database.
    pub(crate) async fn take(recipe: &Recipe, loan: Loan, test: &str) -> anyhow::Result<Lent> {
        if let Some(service) = line().await? {
            let lent = Lent::ask(service, recipe, loan, test).await;
            // Unless it was killed in the midst of this.
            if lent.is_ok() || line().await?.is_some() {
                return lent;
            }
        }
        Lent::make(&server()?, recipe).await
    }

    /// Asks a service.
    pub(crate) async fn ask(mut line: Line, recipe: &Recipe, loan: Loan, test: &str) -> anyhow::Result<Lent> {
        let request = Request::Take { recipe: recipe.clone(), loan, test: test.to_owned() };
        match line.ask(&request).await? {
            Answer::Lent { url } => Ok(Lent { by: Lender::Service(Box::new(line)), url }),
            answer => bail!("asked for a database, the service says {answer:?}"),
        }
    }

    async fn make(server: &PgConnectOptions, recipe: &Recipe) -> anyhow::Result<Lent> {
        // Cleaning in place is of use only to whoever lends it again.
        let recipe = Recipe { recyclable: false, ..recipe.clone() };
        let (project, _) = SOURCES.project(recipe.project.as_deref())?;
        let mut conn = maintenance(server).await?;
        let owner = Owner::new(&mut conn).await?;
        let template = template::ensure(&mut conn, server, &owner, &project, &recipe).await?;
        let scratch = Scratch::lend(server, conn, owner, template.as_deref()).await?;
        Ok(Lent { url: scratch.url(), by: Lender::Us(Box::new(scratch)) })
    }

    /// Its connection string, password included.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leaves it there for people to look at, under the name that it was asked for with.
    ///
    /// # Errors
    /// Where the service or the server does not answer.
    pub async fn keep(self, test: &str) -> anyhow::Result<()> {
        match self.by {
            Lender::Service(mut line) => line.ask(&Request::Keep).await.map(drop),
            Lender::Us(scratch) => scratch.keep(test).await,
        }
    }

    /// Nobody needs it any more.
    pub(crate) async fn give_back(self, cleaned: bool) -> anyhow::Result<()> {
        match self.by {
            // The end of the connection is all that it takes; a service that was killed gets nothing back.
            Lender::Service(mut line) => {
                if cleaned {
                    let _ = line.ask(&Request::Cleaned).await;
                }
                Ok(())
            }
            Lender::Us(scratch) => scratch.discard().await,
        }
    }

    /// Nobody else is to get it.
    pub(crate) async fn spoilt(self) -> anyhow::Result<()> {
        match self.by {
            Lender::Service(mut line) => line.ask(&Request::Spoilt).await.map(drop),
            Lender::Us(scratch) => scratch.discard().await,
        }
    }
}

/// A connection to the service; `None` where a server is named, and no service of it answers.
async fn line() -> anyhow::Result<Option<Line>> {
    let named = variable(SERVER).is_some();
    if let Some(socket) = variable(SERVICE) {
        return match Line::connect(Path::new(&socket)).await {
            Ok(line) => Ok(Some(line)),
            // It was killed: the server may well be there.
            Err(_) if named => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reach the service of {SERVICE}, {socket}")),
        };
    }
    if named { Ok(None) } else { shared().await.map(Some) }
}

/// The service of this checkout.
async fn shared() -> anyhow::Result<Line> {
    let socket = shared_socket(&root())?;
    if let Ok(line) = Line::connect(&socket).await {
        return Ok(line);
    }
    // Whoever comes second waits inside until the first has started it.
    let start = || {
        let (program, mut args) = match variable("XTASK_BIN") {
            Some(xtask) => (xtask, vec![]),
            None => (
                variable("CARGO").unwrap_or_else(|| "cargo".to_owned()),
                vec!["run", "--quiet", "--package", "xtask", "--"],
            ),
        };
        args.extend(["server", "start", "--test"]);
        let run = duct::cmd(&program, &args).dir(workspace_root()).stdin_null().stderr_to_stdout();
        run.stdout_capture().unchecked().run().with_context(|| format!("run {program}"))
    };
    let output = tokio::task::spawn_blocking(start).await.context("start a test server")??;
    Line::connect(&socket).await.map_err(|_| {
        let said = String::from_utf8_lossy(&output.stdout);
        anyhow::anyhow!("no test server: `cargo xtask server start --test` said:\n{}", said.trim())
    })
}

/// The checkout whose migrations are meant.
fn root() -> PathBuf {
    variable("XTASK_ROOT").map_or_else(workspace_root, PathBuf::from)
}

/// Where the service of this checkout listens.
///
/// # Errors
/// Where the folder of sockets can't be made, or is not this user's own.
pub fn shared_socket(root: &Path) -> anyhow::Result<PathBuf> {
    let root = root.canonicalize().with_context(|| format!("find the checkout {}", root.display()))?;
    let folder = env::temp_dir().join(format!("xtask-sockets-{}", rustix::process::geteuid().as_raw()));
    if let Err(error) = fs::create_dir(&folder)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(error).with_context(|| format!("make {}", folder.display()));
    }
    own(&folder)?;
    // A short name: a socket's path has about a hundred bytes.
    let name = hex(&Sha256::digest(root.as_os_str().as_encoded_bytes())[..8]);
    Ok(folder.join(format!("{name}.socket")))
}

/// Refuses a folder that others could have made first.
fn own(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let about = folder.symlink_metadata().with_context(|| format!("look at {}", folder.display()))?;
    if !about.is_dir() || about.uid() != rustix::process::geteuid().as_raw() {
        bail!(
            "{} is not this user's own folder\n  remove it, or set TMPDIR to a folder of yours",
            folder.display()
        );
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
        .with_context(|| format!("close {}", folder.display()))
}

/// The test server that is named.
///
/// # Errors
/// Where none is.
pub fn server() -> anyhow::Result<PgConnectOptions> {
    let url = variable(SERVER).with_context(|| {
        format!("no test server is named: {SERVER} is not set\n  run the tests by `cargo xtask test`, which sets it")
    })?;
    url.parse().with_context(|| format!("read {SERVER}"))
}

/// What the service of a socket has lent so far.
///
/// # Errors
/// Where it does not answer.
pub async fn report(socket: &Path) -> anyhow::Result<Report> {
    match Line::connect(socket).await?.ask(&Request::Report).await? {
        Answer::Report(report) => Ok(report),
        answer => bail!("asked for a report, the service says {answer:?}"),
    }
}

/// Tells the service of a socket to go.
///
/// # Errors
/// Where it does not answer, or somebody still uses it.
pub async fn end(socket: &Path) -> anyhow::Result<()> {
    Line::connect(socket).await?.ask(&Request::End).await.map(drop)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
