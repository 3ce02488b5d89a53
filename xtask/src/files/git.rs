//! What git says of the checkout. It is only asked, never told.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use duct::cmd;

use crate::terminal::exit::Stop;

/// The git program, in one checkout.
pub(crate) struct Git {
    program: PathBuf,
    root: PathBuf,
}

/// Branches that others start from, where the remote names none.
const BASES: &[&str] = &["main", "master", "origin/main", "origin/master"];

impl Git {
    /// Finds it, and makes sure that it keeps this checkout.
    pub(crate) fn new(root: &Path) -> anyhow::Result<Git> {
        let program = which::which("git").context(
            "git is not on this machine's PATH, and it alone knows which files are on the main branch",
        )?;
        let git = Git { program, root: root.to_owned() };
        if let Err(said) = git.ask(&["rev-parse", "--show-toplevel"])? {
            let why = format!(
                "{} is no checkout that git keeps, and it alone knows which files are on the main branch; \
                 nothing was touched\n  {said}",
                root.display()
            );
            return Err(Stop::Refused(why).into());
        }
        Ok(git)
    }

    /// The branch that others start from: the one that is asked for, else the remote's own, else the usual names.
    pub(crate) fn base(&self, asked: Option<&str>) -> anyhow::Result<String> {
        if let Some(base) = asked {
            if !self.knows(base)? {
                let branches =
                    self.ask(&["branch", "--all", "--format=%(refname:short)"])?.unwrap_or_default();
                let branches: Vec<&str> = branches.lines().collect();
                bail!(
                    "git knows no branch `{base}`; nothing was touched\n  its branches: {}",
                    branches.join(", ")
                );
            }
            return Ok(base.to_owned());
        }
        let of_remote = self.ask(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])?;
        for base in of_remote.iter().map(String::as_str).chain(BASES.iter().copied()) {
            if self.knows(base)? {
                return Ok(base.to_owned());
            }
        }
        bail!(
            "git has no branch main or master, and no remote that names another; nothing was touched\n  \
             name the branch that others start from: --base BRANCH"
        )
    }

    /// The files of a folder of the checkout on a branch, by their paths from its top.
    pub(crate) fn files(&self, branch: &str, folder: &str) -> anyhow::Result<BTreeSet<String>> {
        match self.ask(&["ls-tree", "-r", "-z", "--name-only", branch, "--", folder])? {
            Ok(files) => Ok(files.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect()),
            Err(said) => bail!("git does not list the files of {branch}: {said}"),
        }
    }

    fn knows(&self, name: &str) -> anyhow::Result<bool> {
        Ok(self.ask(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])?.is_ok())
    }

    /// Its answer, or what it complains of.
    fn ask(&self, args: &[&str]) -> anyhow::Result<Result<String, String>> {
        let asking = cmd(&self.program, args).dir(&self.root).stdin_null().stdout_capture().stderr_capture();
        let output = asking.unchecked().run().with_context(|| format!("run git {}", args.join(" ")))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned();
        Ok(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
    }
}
