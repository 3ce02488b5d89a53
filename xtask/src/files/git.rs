//! Reads branches and their files from git. Changes nothing.

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

/// How a command of git ended.
enum Reply {
    /// It succeeded and printed this.
    Output(String),
    /// It failed with this on standard error.
    Complaint(String),
}

impl Reply {
    fn output(self) -> Option<String> {
        match self {
            Reply::Output(output) => Some(output),
            Reply::Complaint(_) => None,
        }
    }
}

/// The usual names of the base branch, if the remote does not name it.
const BASES: &[&str] = &["main", "master", "origin/main", "origin/master"];

impl Git {
    /// Finds git, and checks that `root` is in a git repository.
    pub(crate) fn new(root: &Path) -> anyhow::Result<Git> {
        let program = which::which("git").context(
            "git is not on this machine's PATH, and without it there is no way to see which files are on the main branch",
        )?;
        let git = Git { program, root: root.to_owned() };
        if let Reply::Complaint(said) = git.run(&["rev-parse", "--show-toplevel"])? {
            let why = format!(
                "{} is not in a git repository, so there is no way to see which files are on the main branch; \
                 nothing was touched\n  {said}",
                root.display()
            );
            return Err(Stop::Refused(why).into());
        }
        Ok(git)
    }

    /// Git in a folder; `None` if that is in no repository, or git is not on this machine.
    pub(crate) fn around(folder: &Path) -> Option<Git> {
        let git = Git { program: which::which("git").ok()?, root: folder.to_owned() };
        git.top().is_ok().then_some(git)
    }

    /// The top folder of the repository.
    pub(crate) fn top(&self) -> anyhow::Result<PathBuf> {
        match self.run(&["rev-parse", "--show-toplevel"])? {
            Reply::Output(top) => Ok(PathBuf::from(top)),
            Reply::Complaint(said) => bail!("git could not say where the repository is: {said}"),
        }
    }

    /// The files below this folder that are tracked, or that could be: without what `.gitignore` lists.
    pub(crate) fn files_here(&self) -> anyhow::Result<Vec<String>> {
        match self.run(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])? {
            Reply::Output(files) => {
                let files = files.split('\0').filter(|path| !path.is_empty());
                Ok(files.filter(|path| self.root.join(path).is_file()).map(str::to_owned).collect())
            }
            Reply::Complaint(said) => bail!("git could not list the files: {said}"),
        }
    }

    /// Whether files differ from the last commit, or are not tracked.
    pub(crate) fn is_changed(&self, path: &str) -> anyhow::Result<bool> {
        let status = self.run(&["status", "--porcelain", "--", path])?.output();
        Ok(status.is_some_and(|changes| !changes.is_empty()))
    }

    /// The base branch, from which others start: `wanted`, else the remote's default branch, else one of the usual names.
    pub(crate) fn base(&self, wanted: Option<&str>) -> anyhow::Result<String> {
        if let Some(base) = wanted {
            if !self.has_commit(base)? {
                let branches = self.run(&["branch", "--all", "--format=%(refname:short)"])?.output();
                let branches = branches.unwrap_or_default();
                let branches: Vec<&str> = branches.lines().collect();
                bail!(
                    "git has no branch `{base}`; nothing was touched\n  its branches: {}",
                    branches.join(", ")
                );
            }
            return Ok(base.to_owned());
        }
        let of_remote =
            self.run(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])?.output();
        for base in of_remote.as_deref().into_iter().chain(BASES.iter().copied()) {
            if self.has_commit(base)? {
                return Ok(base.to_owned());
            }
        }
        bail!(
            "git has no branch main or master, and no remote that names another; nothing was touched\n  \
             name the base branch: --base BRANCH"
        )
    }

    /// The files of a folder of the checkout on a branch, by their paths from its top.
    pub(crate) fn files(&self, branch: &str, folder: &str) -> anyhow::Result<BTreeSet<String>> {
        match self.run(&["ls-tree", "-r", "-z", "--name-only", branch, "--", folder])? {
            Reply::Output(files) => {
                Ok(files.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
            }
            Reply::Complaint(said) => bail!("git could not list the files of {branch}: {said}"),
        }
    }

    fn has_commit(&self, name: &str) -> anyhow::Result<bool> {
        Ok(self.run(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])?.output().is_some())
    }

    fn run(&self, args: &[&str]) -> anyhow::Result<Reply> {
        let git = cmd(&self.program, args).dir(&self.root).stdin_null().stdout_capture().stderr_capture();
        let output = git.unchecked().run().with_context(|| format!("run git {}", args.join(" ")))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned();
        Ok(if output.status.success() {
            Reply::Output(text(&output.stdout))
        } else {
            Reply::Complaint(text(&output.stderr))
        })
    }
}
