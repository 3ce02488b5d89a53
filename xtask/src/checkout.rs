//! Where we are: the folder of the checkout, its project, and which server its user wants.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::ValueEnum;
use migrations::{Postgres, Project};

use crate::cli::ServerChoice;

/// A variable that points us at another checkout than the one we were built in.
pub(crate) const ROOT: &str = "XTASK_ROOT";

/// One checkout of the repository.
#[derive(Debug)]
pub(crate) struct Checkout {
    /// Its top folder, absolute.
    pub(crate) root: PathBuf,
    asked_for: Option<ServerChoice>,
}

impl Checkout {
    pub(crate) fn new(asked_for: Option<ServerChoice>) -> anyhow::Result<Checkout> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = match env::var_os(ROOT) {
            Some(root) => PathBuf::from(root),
            None => here.parent().unwrap_or(here).to_owned(),
        };
        let root = root.canonicalize().with_context(|| format!("find the checkout {}", root.display()))?;
        Ok(Checkout { root, asked_for })
    }

    /// Another one, whatever the environment says.
    pub(crate) fn elsewhere(root: &Path, server: ServerChoice) -> anyhow::Result<Checkout> {
        let root = root.canonicalize().with_context(|| format!("find the checkout {}", root.display()))?;
        Ok(Checkout { root, asked_for: Some(server) })
    }

    /// The migrations folder.
    pub(crate) fn migrations(&self) -> PathBuf {
        self.root.join("migrations")
    }

    /// What the files say. Every problem in them ends the command here, before a server is touched.
    pub(crate) fn project(&self) -> anyhow::Result<Project> {
        Ok(Project::load(&self.migrations())?)
    }

    /// The word of the server that the command line or the environment asks for, to pass on.
    pub(crate) fn asked_for(&self) -> Option<String> {
        self.asked_for.and_then(|choice| Some(choice.to_possible_value()?.get_name().to_owned()))
    }

    /// Which server to use: the command line, the environment, the manifest, else the default.
    pub(crate) fn server_choice(&self, postgres: &Postgres) -> anyhow::Result<ServerChoice> {
        let named = || postgres.server.as_deref().map(|name| ServerChoice::from_str(name, false));
        match self.asked_for.map(Ok).or_else(named) {
            Some(Ok(choice)) => Ok(choice),
            None => Ok(ServerChoice::Auto),
            Some(Err(_)) => {
                let path = self.migrations().join("apps.toml");
                bail!(
                    "{}: `server` under [postgres] must be auto, url, docker, native or download",
                    path.display()
                )
            }
        }
    }
}
