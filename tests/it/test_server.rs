//! The server that tests and proofs run on: in memory, and gone with its owner, however that ends.
//!
//! Others have test servers on the same machine at the same time, so each test looks only at what its own command started.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Output,
};

use duct::{Handle, cmd};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    checkout::{Checkout, outcome},
    native_server::{lives, pid_of, processes, wait_until},
};

const SLOW: &str = "select pg_sleep(600);";

/// What a running command has of a test server.
struct TestServer {
    command: Handle,
    /// That of `initdb` at first, and then of the server.
    pid: Pid,
    /// It holds everything.
    folder: PathBuf,
}

impl TestServer {
    /// Starts a proof, and waits for its server to get so far.
    #[track_caller]
    fn of_proof(checkout: &Checkout, moment: Moment) -> TestServer {
        let command = checkout.bare_command(&["verify"]).stdout_capture().stderr_capture().start().unwrap();
        let parent = pid_of(&command).as_raw_nonzero().get();
        let find = || {
            let mut children = processes();
            children.retain(|it| it.parent == parent);
            children.iter().find_map(|it| {
                let draft = it.words.iter().find_map(|word| word.strip_prefix("--pgdata="));
                let data = if moment == Moment::Initdb { draft.map(Path::new) } else { it.data() };
                Some((it.pid, data?.parent()?.to_owned()))
            })
        };
        let mut found = None;
        wait_until("a test server", || {
            found = find();
            found.is_some()
        });
        let (pid, folder) = found.unwrap();
        let file = folder.join("data/postmaster.pid");
        if moment == Moment::Ready {
            wait_until("it is ready", || fs::read_to_string(&file).is_ok_and(|text| text.contains("ready")));
        }
        TestServer { command, pid, folder }
    }

    fn end(&self, signal: Signal) -> Output {
        kill_process(pid_of(&self.command), signal).unwrap();
        self.command.wait().unwrap().clone()
    }

    #[track_caller]
    fn expect_gone(&self) {
        assert!(!lives(self.pid), "{} in {}", self.pid.as_raw_nonzero(), self.folder.display());
        assert!(!self.folder.exists(), "{}", self.folder.display());
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Initdb,
    Starting,
    Ready,
}

#[track_caller]
fn check_verify(checkout: &Checkout, code: i32, said: &[&str]) {
    let server = TestServer::of_proof(checkout, Moment::Starting);
    let output = server.command.wait().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    for text in said {
        assert!(told.contains(text), "`{text}` was not said: {told}");
    }
    server.expect_gone();
    let in_memory = server.folder.starts_with("/dev/shm");
    let place = if in_memory { "native, in memory " } else { "on disk, which is slower: " };
    assert!(told.contains(place), "{told}");
}

#[test]
fn nothing_is_left_of_it_after_a_proof() {
    check_verify(&Checkout::new(), 0, &["started", "up again gives the same fingerprint"]);
}

#[test]
fn nothing_is_left_of_it_after_a_proof_that_failed() {
    let checkout = Checkout::new();
    checkout.replace("apps.toml", "tables = [\"progress\"]", "tables = [\"progres\"]");
    check_verify(&checkout, 3, &["FAILED"]);
}

#[test]
fn nothing_is_left_of_it_after_an_error() {
    let checkout = Checkout::new();
    checkout.migration("users/0002_bad", "selec 1;", "select 1;");
    check_verify(&checkout, 1, &[]);
}

#[track_caller]
fn check_signal(signal: Signal) {
    let checkout = Checkout::new();
    checkout.migration("users/0002_slow", SLOW, "select 1;");
    for moment in [Moment::Initdb, Moment::Starting, Moment::Ready] {
        let server = TestServer::of_proof(&checkout, moment);
        let output = server.end(signal);
        assert_eq!(output.status.code(), Some(130), "{moment:?}: {output:?}");
        server.expect_gone();
    }
}

#[test]
fn nothing_is_left_of_it_after_ctrl_c() {
    check_signal(Signal::INT);
}

#[test]
fn nothing_is_left_of_it_after_sigterm() {
    check_signal(Signal::TERM);
}

#[test]
fn what_a_killed_command_left_of_it_is_cleared_away_by_the_next() {
    let (checkout, slow) = (Checkout::new(), Checkout::new());
    slow.migration("users/0002_slow", SLOW, "select 1;");
    for moment in [Moment::Initdb, Moment::Ready] {
        // Another command on this machine may be quicker than the next of ours, and then it is that one which says so.
        let said = (0..10).any(|_| {
            let server = TestServer::of_proof(&slow, moment);
            server.end(Signal::KILL);
            let next = outcome(&checkout.bare_command(&["verify"]));
            next.expect(0, &["up again gives the same fingerprint"]);
            server.expect_gone();
            let folder = server.folder.display();
            next.stdout.contains(&format!("cleared away what a killed command had left: {folder}"))
        });
        assert!(said, "{moment:?}");
    }
}

#[test]
fn a_database_url_that_is_named_is_where_proofs_run() {
    tests::with_empty_database(async |db| {
        let checkout = Checkout::new();
        let told = outcome(&checkout.command(&db.url(), &["verify"]));
        told.expect(0, &["DATABASE_URL (environment)", "kept"]);
        assert!(!told.stdout.contains("native"), "{}", told.stdout);
        Ok(())
    });
}

/// A package of its own with one test that passes on the test server, and one that fails.
fn package() -> Checkout {
    let checkout = Checkout::new();
    let write = |path: &str, text: &str| {
        let path = checkout.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "Cargo.toml",
        "[package]\nname = \"small\"\nedition = \"2024\"\n\n[lib]\ndoctest = false\n\n[workspace]\n",
    );
    write(
        "src/lib.rs",
        r#"#[test]
fn passes() {
    let url = std::env::var("XTASK_TEST_URL").unwrap();
    let place = url.split_once('@').unwrap().1.split_once('/').unwrap().0;
    std::net::TcpStream::connect(place).unwrap();
    std::fs::write("place", place).unwrap();
}

#[test]
fn fails() {
    panic!("as it should");
}
"#,
    );
    checkout
}

/// The exit code of `xtask test` with these arguments, and that of the test runner itself.
fn codes(checkout: &Checkout, args: &[&str]) -> (i32, i32) {
    let all = [&["test", "--"], args].concat();
    let target = checkout.root().join("target");
    let ours = outcome(&checkout.bare_command_in(&all, &[("CARGO_TARGET_DIR", target.as_os_str())]));
    let has_nextest = cmd!("cargo-nextest", "--version").stdout_null().stderr_null().run().is_ok();
    let runner: &[&str] =
        if has_nextest { &["nextest", "run", "--workspace"] } else { &["test", "--workspace"] };
    let place = fs::read_to_string(checkout.root().join("place")).unwrap_or_default();
    let theirs = cmd(env!("CARGO"), [runner, args].concat())
        .dir(checkout.root())
        .env("CARGO_TARGET_DIR", target)
        // One that never answers is as good as any for a test that does not ask.
        .env("XTASK_TEST_URL", "postgres://nobody@127.0.0.1:1/nowhere")
        .unchecked();
    let theirs = outcome(&theirs);
    fs::write(checkout.root().join("place"), place).unwrap();
    (ours.code, theirs.code)
}

#[test]
fn xtask_test_hands_over_its_arguments_and_the_exit_code_and_ends_its_server() {
    let checkout = package();
    let place = |checkout: &Checkout| fs::read_to_string(checkout.root().join("place")).unwrap();
    let told = |args: &[&str]| codes(&checkout, args);
    assert_eq!(told(&["passes"]).0, 0);
    let (ours, theirs) = told(&["fails"]);
    assert_ne!(ours, 0);
    assert_eq!(ours, theirs);
    let (ours, theirs) = told(&["matches_nothing"]);
    assert_eq!(ours, theirs);
    // The address that the test was given leads nowhere now.
    assert!(TcpStream::connect(place(&checkout)).is_err());
    assert!(Path::new(&checkout.root().join("target")).is_dir());
}
