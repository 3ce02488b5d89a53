//! A checkout that a test may spoil: a copy of the fixture or of the product's migrations in its own folder, and `xtask`
//! commands that work on it.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use duct::{Expression, cmd};
use tempfile::TempDir;
use tests::{TestDatabase, workspace_root};

/// The folder of the schema that tests of the engine use, below the workspace's root.
pub(crate) const FIXTURE: &str = "tests/fixtures";

/// The program under test: the one that `cargo xtask test` passes on, or else one that cargo builds.
static XTASK: LazyLock<PathBuf> = LazyLock::new(|| match std::env::var_os("XTASK_BIN") {
    Some(path) => path.into(),
    None => built("xtask"),
});

/// Builds a program of this workspace if it is out of date, and returns its path.
pub(crate) fn built(package: &str) -> PathBuf {
    cargo(["build", "--quiet", "--package", package]).dir(workspace_root()).run().unwrap();
    // Cargo puts this test into the folder `deps`, beside the programs.
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join(package)
}

/// Cargo as it runs in a terminal.
pub(crate) fn cargo<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Expression {
    as_in_a_terminal(cmd(env!("CARGO"), words))
}

/// A command without the variables that cargo has set for these tests, which describe their package: it would build again
/// what a cargo without them has built.
pub(crate) fn as_in_a_terminal(command: Expression) -> Expression {
    start::package_variables().fold(command, |command, name| command.env_remove(name))
}

/// The program under test, for a test that starts it through another program.
pub(crate) fn xtask() -> &'static Path {
    &XTASK
}

/// A checkout that a test may spoil.
pub(crate) struct Checkout {
    folder: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Checkout {
    /// A checkout whose migrations are a copy of the fixture.
    pub(crate) fn new() -> Checkout {
        let checkout = Checkout::empty();
        copy(&workspace_root().join(FIXTURE), &checkout.path(""));
        checkout
    }

    /// A checkout whose migrations are a copy of the product's, for tests of the product.
    pub(crate) fn of_product() -> Checkout {
        let checkout = Checkout::empty();
        copy(&workspace_root().join("migrations"), &checkout.path(""));
        checkout
    }

    /// A copy of the whole workspace, for cargo to work in.
    pub(crate) fn of_workspace() -> Checkout {
        let checkout = Checkout::empty();
        copy_all(&workspace_root(), checkout.root());
        checkout
    }

    /// A checkout with this manifest and these files only: `(path below migrations/, text)`.
    pub(crate) fn with_files(manifest: &str, files: &[(&str, &str)]) -> Checkout {
        let checkout = Checkout::empty();
        checkout.write("apps.toml", manifest);
        for (path, text) in files {
            checkout.write(path, text);
        }
        checkout
    }

    fn empty() -> Checkout {
        Checkout { folder: tempfile::Builder::new().prefix("xtask-it-").tempdir().unwrap() }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, below_migrations: &str) -> PathBuf {
        self.folder.path().join("migrations").join(below_migrations)
    }

    /// Writes a file below `migrations/`.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a migration: `("users/0002_more", up, down)`.
    pub(crate) fn migration(&self, name: &str, up: &str, down: &str) {
        self.write(&format!("{name}.up.sql"), up);
        self.write(&format!("{name}.down.sql"), down);
    }

    pub(crate) fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    /// Replaces a text below `migrations/`, which must contain it.
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        self.edit(&format!("migrations/{path}"), from, to);
    }

    /// Replaces a text in any file, which must contain it.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let file = self.root().join(path);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{path} lacks {from}");
        fs::write(file, text.replacen(from, to, 1)).unwrap();
    }

    /// A command of `xtask` on a database, ready to run.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, url: &str, args: &[A]) -> Expression {
        self.program(&[], args, &[]).env("DATABASE_URL", url)
    }

    /// The same without `DATABASE_URL`.
    pub(crate) fn bare_command<A: AsRef<OsStr>>(&self, args: &[A]) -> Expression {
        self.bare_command_in(args, &[])
    }

    /// The same with these environment variables.
    pub(crate) fn bare_command_in<A: AsRef<OsStr>>(&self, args: &[A], more: &[(&str, &OsStr)]) -> Expression {
        self.bare_command_by(&[], args, more)
    }

    /// The same, started by another program, which gets the command as its last arguments.
    pub(crate) fn bare_command_by<A: AsRef<OsStr>>(
        &self,
        starter: &[&OsStr],
        args: &[A],
        more: &[(&str, &OsStr)],
    ) -> Expression {
        self.program(starter, args, more).env_remove("DATABASE_URL")
    }

    /// A command that reads a file on standard input.
    pub(crate) fn reading(&self, url: &str, args: &[&str], file: &Path) -> Expression {
        cmd(&*XTASK, args)
            .env("XTASK_ROOT", self.root())
            .env("DATABASE_URL", url)
            .env_remove("XTASK_SERVER")
            .stdin_path(file)
            .unchecked()
    }

    /// A command with another `PATH`.
    pub(crate) fn with_path(&self, url: &str, args: &[&str], path: &str) -> Expression {
        self.command(url, args).env("PATH", path)
    }

    fn program<A: AsRef<OsStr>>(
        &self,
        starter: &[&OsStr],
        args: &[A],
        more: &[(&str, &OsStr)],
    ) -> Expression {
        let words = starter.iter().copied().chain([XTASK.as_os_str()]);
        let words: Vec<&OsStr> = words.chain(args.iter().map(AsRef::as_ref)).collect();
        let command = as_in_a_terminal(cmd(words[0], &words[1..]));
        // Of two values for a variable, the one set first wins.
        more.iter()
            .fold(command, |command, (name, value)| command.env(name, value))
            .env("XTASK_ROOT", self.root())
            .env("XDG_STATE_HOME", self.root().join("state"))
            // Otherwise a Docker daemon on this machine would affect which server commands choose and what `sweep` builds.
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .env_remove("XTASK_SERVER")
            .stdin_null()
            .unchecked()
    }

    /// Runs a command line as a person would who pastes it from a message, in a shell.
    pub(crate) fn paste(&self, db: &TestDatabase, line: &str) -> Outcome {
        let script = format!("cargo() {{ shift; \"$0\" \"$@\"; }}\n{line}");
        let starter = ["sh", "-c", &script].map(OsStr::new);
        let program = self.program(&starter, &[] as &[&str], &[]);
        outcome(&program.env("DATABASE_URL", db.url()).dir(self.root()))
    }

    /// Every verb that `cargo xtask --help` lists.
    pub(crate) fn verbs(&self) -> Vec<String> {
        let help = outcome(&self.bare_command(&["--help"])).expect(0, &[]).stdout.clone();
        let verbs = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
        verbs.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    /// Runs a command of `xtask` that needs no server.
    pub(crate) fn xtask_alone<A: AsRef<OsStr>>(&self, args: &[A]) -> Outcome {
        outcome(&self.bare_command(args))
    }

    /// Runs a command of `xtask` on a test's database.
    pub(crate) fn xtask<A: AsRef<OsStr>>(&self, db: &TestDatabase, args: &[A]) -> Outcome {
        outcome(&self.command(&db.url(), args))
    }
}

/// Runs a command to its end.
pub(crate) fn outcome(command: &Expression) -> Outcome {
    let output = command.stdout_capture().stderr_capture().run().unwrap();
    Outcome {
        // Stands for the end by a signal, as in a shell.
        code: output.status.code().unwrap_or(128),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Outcome {
    /// The command that follows this text in what was printed.
    #[track_caller]
    pub(crate) fn advice(&self, label: &str) -> String {
        let all = format!("{}{}", self.stdout, self.stderr);
        let line = all.lines().find_map(|line| Some(line.split_once(label)?.1.trim().to_owned()));
        line.unwrap_or_else(|| panic!("`{label}` was not printed:\n{all}"))
    }

    /// Asserts the exit code, and that the command printed each of these texts on either stream.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, said: &[&str]) -> &Outcome {
        let all = format!("{}{}", self.stdout, self.stderr);
        assert_eq!(self.code, code, "{all}");
        for text in said {
            assert!(all.contains(text), "`{text}` was not printed:\n{all}");
        }
        self
    }
}

/// Copies a migrations folder without `src`, the source of the runner, which shares the product's folder.
fn copy(from: &Path, to: &Path) {
    copy_without(from, to, &["src"]);
}

/// Copies a workspace without cargo's target folder, which may be a link to anywhere.
fn copy_all(from: &Path, to: &Path) {
    copy_without(from, to, &["target", ".git", ".env"]);
}

fn copy_without(from: &Path, to: &Path, excluded: &[&str]) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        match source.is_dir() {
            _ if excluded.iter().any(|name| entry.file_name() == *name) => {}
            true => copy_without(&source, &target, excluded),
            false => drop(fs::copy(&source, &target).unwrap()),
        }
    }
}
