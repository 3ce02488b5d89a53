//! A small package whose tests use the library, as another repository would.

use std::{ffi::OsStr, fs};

use duct::{Expression, cmd};
use tests::workspace_root;

use crate::{
    borrowing::surrounded,
    checkout::{Checkout, Outcome, outcome, xtask},
    native_server::wait_until,
};

/// Each writes down what it got.
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

/// What runs tests: nextest where `cargo xtask test` would take it, and plain cargo.
pub(crate) fn runners() -> impl Iterator<Item = &'static [&'static str]> {
    let has_nextest = cmd!("cargo-nextest", "--version").stdout_null().stderr_null().run().is_ok();
    let nextest: &[&str] = &["nextest", "run"];
    [&["test"] as &[&str], nextest].into_iter().filter(move |runner| has_nextest || runner.len() == 1)
}

pub(crate) struct Suite<'a> {
    checkout: &'a Checkout,
}

impl<'a> Suite<'a> {
    /// Puts it beside a checkout's migrations.
    pub(crate) fn new(checkout: &'a Checkout) -> Suite<'a> {
        let (root, here) = (workspace_root(), checkout.root());
        let ours = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        // Its own profiles, so that cargo finds everything built already.
        let profiles = &ours[ours.find("[profile.").unwrap()..];
        let library = root.join("tests").display().to_string();
        let manifest = format!(
            "[package]\nname = \"small\"\nedition = \"2024\"\n\n[lib]\ndoctest = false\n\n[workspace]\n\n\
             [dev-dependencies]\ntests = {{ path = {library:?} }}\n\n{profiles}"
        );
        fs::write(here.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), here.join("Cargo.lock")).unwrap();
        fs::create_dir(here.join("src")).unwrap();
        fs::write(here.join("src/lib.rs"), TESTS.trim_start()).unwrap();
        Suite { checkout }
    }

    /// One of its tests, by a runner of cargo.
    pub(crate) fn run(&self, runner: &[&str], test: &str) -> Outcome {
        outcome(&self.surrounded(cmd(env!("CARGO"), [runner, &["--offline", test]].concat()), &[]))
    }

    /// Its tests of this name, by `cargo xtask test`: one by one, where all programs are set to print backtraces.
    pub(crate) fn xtask(&self, test: &str) -> Expression {
        let one_by_one = [("NEXTEST_TEST_THREADS", OsStr::new("1")), ("RUST_BACKTRACE", OsStr::new("1"))];
        self.surrounded(cmd(xtask(), ["test", "--", "--offline", test]), &one_by_one)
    }

    fn surrounded(&self, command: Expression, more: &[(&str, &OsStr)]) -> Expression {
        let _ = fs::remove_file(self.checkout.root().join("database"));
        // That of this very test, which stands in `debug/deps` of it.
        let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
        let cargo = [("CARGO_TARGET_DIR", target.as_os_str()), ("CARGO_TERM_COLOR", OsStr::new("never"))];
        surrounded(self.checkout, command, &[&cargo, more].concat()).dir(self.checkout.root())
    }

    /// The database that a test got.
    pub(crate) fn database(&self) -> String {
        fs::read_to_string(self.checkout.root().join("database")).unwrap()
    }

    pub(crate) fn wait_for_database(&self) {
        wait_until("a test has its database", || self.checkout.root().join("database").exists());
    }

    /// Lets `waits` come to its end.
    pub(crate) fn stop(&self) {
        fs::write(self.checkout.root().join("stop"), "").unwrap();
    }
}
