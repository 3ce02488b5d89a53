//! The server that tests and proofs run on: in memory, and gone with its owner, however that ends.
//!
//! Others have test servers on the same machine at the same time, so each test looks only at what its own command started.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Output,
};

use duct::{Handle, cmd};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    borrowing::{RIGHT, Shared, outcome_line, surrounded},
    checkout::{Checkout, outcome, xtask},
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
        // With the user's own cache there is mostly nothing for `initdb` to do.
        let empty = checkout.root().join("empty-cache");
        let cache: &[_] =
            if moment == Moment::Initdb { &[("XDG_CACHE_HOME", empty.as_os_str())] } else { &[] };
        let command = checkout.bare_command_in(&["verify"], cache);
        let command = command.stdout_capture().stderr_capture().start().unwrap();
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
        // Who inherited it may take a moment to bury it.
        wait_until("the postmaster is gone", || !lives(self.pid));
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
    checkout.replace("apps.toml", "tables = [\"loans\"]", "tables = [\"loan\"]");
    check_verify(&checkout, 3, &["FAILED"]);
}

#[test]
fn nothing_is_left_of_it_after_an_error() {
    let checkout = Checkout::new();
    checkout.migration("people/0002_bad", "selec 1;", "select 1;");
    check_verify(&checkout, 1, &[]);
}

#[track_caller]
fn check_signal(signal: Signal) {
    let checkout = Checkout::new();
    checkout.migration("people/0002_slow", SLOW, "select 1;");
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
    slow.migration("people/0002_slow", SLOW, "select 1;");
    for moment in [Moment::Initdb, Moment::Ready] {
        // Another command on this machine may be quicker than the next of ours, and then it is that one which says so.
        let said = (0..10).any(|_| {
            let server = TestServer::of_proof(&slow, moment);
            server.end(Signal::KILL);
            let next = outcome(&checkout.bare_command(&["verify"]));
            next.expect(0, &["up again gives the same fingerprint"]);
            server.expect_gone();
            let folder = server.folder.display();
            next.stdout.contains(&format!("removed what a killed command had left: {folder}"))
        });
        assert!(said, "{moment:?}");
    }
}

#[test]
fn a_database_url_that_is_named_is_where_proofs_run() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let told = outcome(&checkout.command(&db.url(), &["verify"]));
        told.expect(0, &["DATABASE_URL (environment)", "kept"]);
        assert!(!told.stdout.contains("native"), "{}", told.stdout);
        Ok(())
    });
}

/// A package with a test that passes on the test server, and one that fails; each writes down where the server is.
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
        r#"
#[cfg(test)]
fn reach_server() {
    let url = std::env::var("XTASK_TEST_URL").unwrap();
    let place = url.split_once('@').unwrap().1.split_once('/').unwrap().0;
    std::net::TcpStream::connect(place).unwrap();
    std::fs::write("place", place).unwrap();
}

#[test]
fn passes() {
    reach_server();
}

#[test]
fn fails() {
    reach_server();
    panic!("as it should");
}
"#,
    );
    checkout
}

#[test]
fn xtask_test_hands_over_its_arguments_and_the_exit_code_and_ends_its_server() {
    let checkout = package();
    let (place, target) = (checkout.root().join("place"), checkout.root().join("target"));
    let has_nextest = cmd!("cargo-nextest", "--version").stdout_null().stderr_null().run().is_ok();
    let runner: &[&str] = if has_nextest { &["nextest", "run"] } else { &["test"] };
    for (filter, passes) in [("passes", Some(true)), ("fails", Some(false)), ("matches_nothing", None)] {
        let target = [("CARGO_TARGET_DIR", target.as_os_str())];
        let ours = outcome(&checkout.bare_command_in(&["test", "--", filter], &target));
        // The address that a test was given leads nowhere afterwards.
        assert_eq!(place.exists(), passes.is_some(), "{ours:?}");
        if passes.is_some() {
            assert!(TcpStream::connect(fs::read_to_string(&place).unwrap()).is_err());
            fs::remove_file(&place).unwrap();
        }
        // They listen on a port that is nobody's server, which these tests do not mind.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("postgres://{}/postgres", listener.local_addr().unwrap());
        let theirs = cmd(env!("CARGO"), [runner, &["--workspace", filter]].concat())
            .dir(checkout.root())
            .env("CARGO_TARGET_DIR", target[0].1)
            .env("XTASK_TEST_URL", url.replace("//", "//nobody@"))
            .unchecked();
        assert_eq!(ours.code, outcome(&theirs).code, "{ours:?}");
        if let Some(passes) = passes {
            assert_eq!(ours.code == 0, passes, "{ours:?}");
            fs::remove_file(&place).unwrap();
        }
    }
}

#[test]
fn where_memory_is_small_it_is_on_disk_and_says_so() {
    let shared = Shared::new();
    // What a container often gets.
    let small = "mount --make-rprivate / && mount -t tmpfs -o size=64m none /dev/shm && exec \"$@\"";
    let starter = ["unshare", "--mount", "sh", "-c", small, "sh"];
    let words = [&starter[..], &[xtask().to_str().unwrap(), "server", "start", "--test"]].concat();
    let told = outcome(&surrounded(&shared.checkout, cmd(words[0], &words[1..]), &[]));
    told.expect(0, &["on disk, which is slower: /dev/shm has ", "started"]);
    let right = shared.borrow(&["seeded", "1", "pass", RIGHT]);
    assert_eq!(outcome_line(&right)[1..], ["9", "3"]);
    let (postmaster, folder) = shared.postmaster();
    assert!(!folder.starts_with("/dev/shm"), "{}", folder.display());
    shared.xtask(&["server", "sweep"]).expect(0, &["1 unused test server ended"]);
    assert!(!lives(postmaster) && !folder.exists());
}
