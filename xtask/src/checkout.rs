//! The checkout that a command works on, its project, the server that its user chose, and the folder of this library.

use std::{
    env,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context, bail};
use clap::ValueEnum;
use migrations::{Postgres, Project};

/// A variable that names another checkout than the repository that this program belongs to.
pub(crate) const ROOT: &str = "XTASK_ROOT";

/// A variable that names the server to use, like `--server`.
pub(crate) const SERVER_CHOICE: &str = "XTASK_SERVER";

/// The manifest's name.
const MANIFEST: &str = "apps.toml";

/// The commands that messages of the library below name: this program, and how it runs SQL.
const TOOL: &str = "cargo xtask";
const SHELL: &str = "cargo xtask db-shell --command";

/// One checkout of the repository.
#[derive(Debug, Clone)]
pub(crate) struct Checkout {
    /// Its top folder, absolute.
    pub(crate) root: PathBuf,
    /// The repository that this program belongs to, whose packages cargo can build. Differs from `root` only if
    /// XTASK_ROOT is set.
    pub(crate) workspace: PathBuf,
    asked_for: Option<ServerChoice>,
    /// The database of the manifest that the user chose, or that a verb has come to.
    database: Option<String>,
}

impl Checkout {
    /// The checkout that XTASK_ROOT names, else `host`, the repository that this program belongs to.
    pub(crate) fn new(
        host: &Path,
        asked_for: Option<ServerChoice>,
        database: Option<String>,
    ) -> anyhow::Result<Checkout> {
        let root =
            env::var_os(ROOT).filter(|root| !root.is_empty()).map_or_else(|| host.to_owned(), PathBuf::from);
        Ok(Checkout { root: resolved(&root)?, workspace: resolved(host)?, asked_for, database })
    }

    /// The checkout at `root` with that server, whatever the environment says.
    pub(crate) fn at(&self, root: &Path, server: ServerChoice) -> anyhow::Result<Checkout> {
        Ok(Checkout { asked_for: Some(server), ..self.in_folder(root)? })
    }

    /// The checkout at `root`, with the server that the user chose.
    pub(crate) fn in_folder(&self, root: &Path) -> anyhow::Result<Checkout> {
        Ok(Checkout { root: resolved(root)?, database: None, ..self.clone() })
    }

    /// The same checkout, and another of its manifest's databases.
    pub(crate) fn in_database(&self, name: &str) -> Checkout {
        Checkout { database: Some(name.to_owned()), ..self.clone() }
    }

    /// The database that the user chose.
    pub(crate) fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The folder of the manifest: `migrations`, or `xtask` if that has one instead.
    pub(crate) fn migrations(&self) -> PathBuf {
        tests::service::manifest_folder(&self.root)
    }

    /// The same folder, as people type it.
    pub(crate) fn folder(&self) -> String {
        let folder = self.migrations();
        folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Loads the project. Any problem in its files is an error here, before a server is touched.
    pub(crate) fn project(&self) -> anyhow::Result<Project> {
        let mut project = Project::load(&self.migrations())?;
        if let Some(name) = &self.database {
            project = project.in_database(name)?;
        }
        SHELL.clone_into(&mut project.commands.sql);
        project.commands.tool = Some(TOOL.to_owned());
        Ok(project)
    }

    /// What the manifest says of Postgres, for commands that need no migrations: those may be broken.
    pub(crate) fn postgres(&self) -> anyhow::Result<Postgres> {
        let postgres = Postgres::load(&self.migrations())?;
        Ok(match &self.database {
            Some(name) => postgres.in_database(name)?,
            None => postgres,
        })
    }

    /// The value of `--server` that the command line or the environment gives, to pass on to another process.
    pub(crate) fn asked_for(&self) -> Option<String> {
        self.asked_for.and_then(|choice| Some(choice.to_possible_value()?.get_name().to_owned()))
    }

    /// The server to use: from the command line, the environment or the manifest, else the default.
    pub(crate) fn server_choice(&self, postgres: &Postgres) -> anyhow::Result<ServerChoice> {
        let named = || postgres.server.as_deref().map(|name| ServerChoice::from_str(name, false));
        match self.asked_for.map(Ok).or_else(named) {
            Some(Ok(choice)) => Ok(choice),
            None => Ok(ServerChoice::Auto),
            Some(Err(_)) => {
                let path = self.migrations().join(MANIFEST);
                bail!(
                    "{}: `server` under [postgres] must be auto, url, docker, native or download",
                    path.display()
                )
            }
        }
    }
}

fn resolved(root: &Path) -> anyhow::Result<PathBuf> {
    root.canonicalize().with_context(|| format!("find the checkout {}", root.display()))
}

/// The workspace that this library was compiled in, with the packages that cargo builds on demand.
pub(crate) fn library() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Whether the workspace of another repository built this program. The library's other programs are not beside it then.
static IS_ELSEWHERE: OnceLock<bool> = OnceLock::new();

/// Records which repository this program belongs to.
pub(crate) fn set_host(host: &Path) {
    let resolved = |path: &Path| path.canonicalize().ok();
    let _ = IS_ELSEWHERE.set(resolved(host) != resolved(library()));
}

/// Whether this program belongs to another repository than the library.
pub(crate) fn is_elsewhere() -> bool {
    IS_ELSEWHERE.get().copied().unwrap_or(false)
}

/// Which server to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerChoice {
    /// DATABASE_URL (environment, then .env) if it is set, else Docker if its daemon answers,
    /// else native if there are Postgres binaries, else download
    Auto,
    /// The server that DATABASE_URL names
    Url,
    /// A server of this checkout in a container
    Docker,
    /// A server of this checkout, from the Postgres binaries of this machine
    Native,
    /// The same from downloaded binaries: about 24 MB, once, into the user's cache folder
    Download,
}
