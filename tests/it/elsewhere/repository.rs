//! A repository of other people that a test may spoil.

use std::{fs, path::PathBuf};

use duct::{Expression, cmd};
use tempfile::TempDir;

use crate::checkout::{Outcome, outcome, xtask};

/// A repository of other people, in which git has everything committed.
pub(crate) struct Repository(pub(crate) TempDir);

impl Repository {
    pub(crate) fn new(files: &[(&str, &str)]) -> Repository {
        let folder = tempfile::Builder::new().prefix("elsewhere-").tempdir().unwrap();
        let repository = Repository(folder);
        // No command below may use this server.
        repository.write(".env", "DATABASE_URL=postgres://app:x@127.0.0.1:1/app\n");
        files.iter().for_each(|(path, text)| repository.write(path, text));
        cmd!("git", "init", "--quiet").dir(repository.root()).run().unwrap();
        repository.commit();
        repository
    }

    /// It has no neighbours, in which this workflow might be.
    pub(crate) fn root(&self) -> PathBuf {
        self.0.path().join("shop")
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let who = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
        cmd("git", [&who, args].concat()).dir(self.root()).read().unwrap()
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
    }

    /// The files that differ from the last commit, or are new.
    pub(crate) fn changes(&self) -> String {
        self.git(&["status", "--porcelain", "--untracked-files=all"])
    }

    /// Runs `init` in a folder of it.
    pub(crate) fn init_in(&self, folder: &str, args: &[&str]) -> Outcome {
        let command = cmd(xtask(), [&["init"], args].concat()).dir(self.path(folder));
        let url = "postgres://app:x@127.0.0.1:1/app";
        outcome(&self.surrounded(command.env("DATABASE_URL", url).env("CARGO_NET_OFFLINE", "true")))
    }

    /// A command without the environment of these tests.
    pub(crate) fn surrounded(&self, command: Expression) -> Expression {
        let command = command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        ["XTASK_ROOT", "XTASK_SERVER", tests::service::SERVER, tests::service::SERVICE]
            .into_iter()
            .fold(command, |command, name| command.env_remove(name))
            .env("XDG_STATE_HOME", self.path("target/state"))
            .stdin_null()
            .unchecked()
    }

    pub(crate) fn init(&self, args: &[&str]) -> Outcome {
        self.init_in("", args)
    }
}
