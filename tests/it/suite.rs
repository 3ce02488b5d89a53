//! A small package whose tests use the library, as another repository would.

use std::{ffi::OsStr, fs};

use duct::{Expression, cmd};
use tests::workspace_root;

use crate::{
    borrowing::{databases, surrounded},
    checkout::{Checkout, Outcome, cargo, outcome, xtask},
    native_server::wait_until,
};

/// Each test writes the name of its database to a file.
const TESTS: &str = r#"
//! Tests that pass, fail, and wait.

#[cfg(test)]
mod tests {
    use std::{fs, io};

    fn note(db: &tests::TestDatabase) -> io::Result<()> {
        fs::write("database.new", db.name())?;
        fs::rename("database.new", "database")
    }

    #[test]
    fn passes() {
        tests::with_database(async |db| Ok(note(db)?));
    }

    #[test]
    fn errs() {
        tests::with_database(async |db| {
            note(db)?;
            Err(io::Error::other("as it should"))?
        });
    }

    #[test]
    fn panics() {
        tests::with_database(async |db| {
            note(db)?;
            panic!("as it should")
        });
    }

    #[tokio::test]
    async fn runtime_ends_well() {
        let db = tests::database().await;
        note(&db).unwrap();
    }

    #[tokio::test]
    async fn runtime_ends_badly() {
        let db = tests::database().await;
        note(&db).unwrap();
        panic!("as it should")
    }

    #[test]
    fn url_ends_badly() {
        let db = tests_client::seeded().lend().unwrap();
        fs::write("database", db.url().rsplit('/').next().unwrap()).unwrap();
        panic!("as it should")
    }

    #[tests::test]
    async fn attribute_ends_badly(db: &tests::TestDatabase) -> io::Result<()> {
        note(db)?;
        Err(io::Error::other("as it should"))
    }

    #[test]
    fn waits() {
        tests::with_database(async |db| {
            note(db)?;
            while !fs::exists("stop")? {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Ok(())
        });
    }
}
"#;

/// The runners of tests: plain cargo, and nextest if it is installed, as for `cargo xtask test`.
pub(crate) fn runners() -> impl Iterator<Item = &'static [&'static str]> {
    let has_nextest = cmd!("cargo-nextest", "--version").stdout_null().stderr_null().run().is_ok();
    let nextest: &[&str] = &["nextest", "run"];
    [&["test"] as &[&str], nextest].into_iter().filter(move |runner| has_nextest || runner.len() == 1)
}

pub(crate) struct Suite<'a> {
    checkout: &'a Checkout,
}

impl<'a> Suite<'a> {
    /// Writes the package into a checkout, beside the migrations.
    pub(crate) fn new(checkout: &'a Checkout) -> Suite<'a> {
        let (root, here) = (workspace_root(), checkout.root());
        let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        // The profiles of this workspace, so that cargo reuses everything that it has built.
        let profiles = &workspace[workspace.find("[profile.").unwrap()..];
        let library = root.join("tests").display().to_string();
        let client = root.join("tests/client").display().to_string();
        let manifest = format!(
            "[package]\nname = \"small\"\nedition = \"2024\"\n\n[lib]\ndoctest = false\n\n[workspace]\n\n\
             [dev-dependencies]\ntests = {{ path = {library:?} }}\ntests-client = {{ path = {client:?} }}\n\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n\n{profiles}"
        );
        fs::write(here.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), here.join("Cargo.lock")).unwrap();
        fs::create_dir(here.join("src")).unwrap();
        fs::write(here.join("src/lib.rs"), TESTS.trim_start()).unwrap();
        Suite { checkout }
    }

    /// Runs one of the package's tests.
    pub(crate) fn run(&self, runner: &[&str], test: &str) -> Outcome {
        self.run_in(runner, test, &[])
    }

    /// Runs one of the package's tests with these variables.
    pub(crate) fn run_in(&self, runner: &[&str], test: &str, more: &[(&str, &OsStr)]) -> Outcome {
        outcome(&self.surrounded(cargo([runner, &["--offline", test]].concat()), more))
    }

    /// `cargo xtask test` for the tests with this name, one at a time, in an environment that switches backtraces on.
    pub(crate) fn xtask(&self, test: &str) -> Expression {
        let one_by_one = [("NEXTEST_TEST_THREADS", OsStr::new("1")), ("RUST_BACKTRACE", OsStr::new("1"))];
        self.surrounded(cmd(xtask(), ["test", "--", "--offline", test]), &one_by_one)
    }

    /// Compiles a test with this source, on the second line of its file, and returns what the compiler says.
    pub(crate) fn check(&self, source: &str) -> Outcome {
        let source = format!("//! One test.\n{source}\n");
        fs::write(self.checkout.root().join("src/lib.rs"), source).unwrap();
        outcome(&self.surrounded(cargo(["check", "--offline", "--tests"]), &[]))
    }

    /// Asserts that the commands that a failed test printed open its database and remove it.
    #[track_caller]
    pub(crate) fn expect_kept(&self, failed: &Outcome, server: &str) {
        let (said, name) = (format!("{}{}", failed.stdout, failed.stderr), self.database());
        let password = server.split_once('@').unwrap().0.rsplit_once(':').unwrap().1;
        assert!(!said.contains(password), "{said}");
        self.expect_opened(failed);
        assert!(databases(server).contains(&name));
        cmd!("sh", "-c", self.printed(failed, "remove it:")).stdout_null().run().unwrap();
        assert!(!databases(server).contains(&name));
    }

    /// Opens the database of a failed test with the command that the failure shows, and expects the seeds in it.
    pub(crate) fn expect_opened(&self, failed: &Outcome) {
        let open = self.printed(failed, "open it:");
        let count = format!("{open} --no-align --tuples-only --command 'select count(*) from roles'");
        assert_eq!(cmd!("sh", "-c", count).read().unwrap(), "3");
    }

    /// The command behind these words, for the database of a failed test.
    fn printed(&self, failed: &Outcome, words: &str) -> String {
        let (said, name) = (format!("{}{}", failed.stdout, failed.stderr), self.database());
        let commands = said.lines().filter_map(|line| line.trim().strip_prefix(words));
        commands.map(|command| command.trim().to_owned()).find(|command| command.contains(&name)).unwrap()
    }

    fn surrounded(&self, command: Expression, more: &[(&str, &OsStr)]) -> Expression {
        let _ = fs::remove_file(self.checkout.root().join("database"));
        // The target folder of this workspace: this test's own binary is in its `debug/deps`.
        let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
        let cargo = [("CARGO_TARGET_DIR", target.as_os_str()), ("CARGO_TERM_COLOR", OsStr::new("never"))];
        surrounded(self.checkout, command, &[&cargo, more].concat()).dir(self.checkout.root())
    }

    /// The name of the database that a test got.
    pub(crate) fn database(&self) -> String {
        fs::read_to_string(self.checkout.root().join("database")).unwrap()
    }

    pub(crate) fn wait_for_database(&self) {
        wait_until("a test has its database", || self.checkout.root().join("database").exists());
    }

    /// Lets the test `waits` end.
    pub(crate) fn stop(&self) {
        fs::write(self.checkout.root().join("stop"), "").unwrap();
    }
}
