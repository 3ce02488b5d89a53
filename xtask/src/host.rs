//! The repository that `cargo xtask` belongs to, and the verbs that it adds.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Names the repository to the program that we hand over to.
pub(crate) const HOST: &str = "XTASK_HOST";

/// The repository that this program is the `cargo xtask` of.
#[derive(Debug, Clone)]
pub struct Host {
    root: PathBuf,
    verbs: Vec<HostVerb>,
}

/// A verb that a repository adds to ours.
#[derive(Debug, Clone, Copy)]
pub struct HostVerb {
    name: &'static str,
    about: &'static str,
    run: fn(&Host, Vec<OsString>) -> anyhow::Result<()>,
}

impl Host {
    /// The repository whose top folder is `root`.
    ///
    /// ```no_run
    /// fn main() -> std::process::ExitCode {
    ///     xtask::main(&xtask::Host::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")))
    /// }
    /// ```
    pub fn new(root: impl Into<PathBuf>) -> Host {
        Host { root: root.into(), verbs: Vec::new() }
    }

    /// The repository of the program that has handed over to this one, or else the one at `root`.
    pub fn handed_over(root: impl Into<PathBuf>) -> Host {
        Host::new(env::var_os(HOST).map_or_else(|| root.into(), PathBuf::from))
    }

    /// Adds a verb.
    ///
    /// # Panics
    ///
    /// Not here, but at the start of every command, in a debug build: if one of our own verbs has that name.
    #[must_use]
    pub fn verb(mut self, verb: HostVerb) -> Host {
        self.verbs.push(verb);
        self
    }

    /// The top folder of the repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn verbs(&self) -> &[HostVerb] {
        &self.verbs
    }
}

impl HostVerb {
    /// A verb with its line in `cargo xtask --help`, and the function that runs it with the arguments after the verb.
    ///
    /// If the function fails, its error is printed with its causes, and the exit code is 1.
    ///
    /// ```
    /// use xtask::{Host, HostVerb};
    ///
    /// let deploy = HostVerb::new("deploy", "Deploy this checkout", |host, args| {
    ///     anyhow::ensure!(args.is_empty(), "deploy takes no arguments");
    ///     println!("deploying {}", host.root().display());
    ///     Ok(())
    /// });
    /// let host = Host::new("/home/me/shop").verb(deploy);
    /// ```
    pub fn new(
        name: &'static str,
        about: &'static str,
        run: fn(&Host, Vec<OsString>) -> anyhow::Result<()>,
    ) -> HostVerb {
        HostVerb { name, about, run }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn about(&self) -> &'static str {
        self.about
    }

    pub(crate) fn run(self, host: &Host, args: Vec<OsString>) -> anyhow::Result<()> {
        (self.run)(host, args)
    }
}
