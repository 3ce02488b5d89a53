//! The repository that `cargo xtask` belongs to, and its own verbs.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

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

    /// Adds a verb. A name that one of ours has is a panic at the start of every command in a debug build.
    #[must_use]
    pub fn verb(mut self, verb: HostVerb) -> Host {
        self.verbs.push(verb);
        self
    }

    /// The top folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn verbs(&self) -> &[HostVerb] {
        &self.verbs
    }
}

impl HostVerb {
    /// A verb with its line in `cargo xtask --help`, and the function that gets what was typed after it.
    ///
    /// An error is printed after `error: ` with its causes, and exits with 1.
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
