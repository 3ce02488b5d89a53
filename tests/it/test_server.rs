//! The server that tests and proofs run on: in memory, and gone when its owner ends, however it ends.
//!
//! Other test servers run on the same machine at the same time, so each test looks only at what its own command started.

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
    checkout::{Checkout, cargo, outcome, xtask},
    native_server::{lives, pid_of, processes, wait_until},
};

const SLOW: &str = "select pg_sleep(600);";

/// A running command and its test server.
struct TestServer {
    command: Handle,
    /// The process id of `initdb` at first, and then of the server.
    pid: Pid,
    /// The folder of all the server's files.
    folder: PathBuf,
}

impl TestServer {
    /// Starts a proof, and waits until its server has reached this moment.
    #[track_caller]
    fn start_proof(checkout: &Checkout, moment: Moment) -> TestServer {
        // With the user's own cache, `initdb` would mostly have nothing to do.
        let empty = checkout.root().join("empty-cache");
        let cache: &[_] =
            if moment == Moment::Initdb { &[("XDG_CACHE_HOME", empty.as_os_str())] } else { &[] };
        let command = checkout.bare_command_in(&["verify"], cache);
        let command = command.stdout_capture().stderr_capture().start().unwrap();
        let parent = pid_of(&command).as_raw_nonzero().get();
        let find_process = || {
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
            found = find_process();
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
        // The process that inherited it may take a moment to reap it.
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
    let server = TestServer::start_proof(checkout, Moment::Starting);
    let output = server.command.wait().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    for text in said {
        assert!(printed.contains(text), "no `{text}` in: {printed}");
    }
    server.expect_gone();
    let in_memory = server.folder.starts_with("/dev/shm");
    let place = if in_memory { "native, in memory " } else { "on disk, which is slower: " };
    assert!(printed.contains(place), "{printed}");
}

#[test]
fn a_proof_leaves_no_server() {
    check_verify(&Checkout::new(), 0, &["started", "up again gives the same fingerprint"]);
}

#[test]
fn a_failed_proof_leaves_no_server() {
    let checkout = Checkout::new();
    checkout.replace("apps.toml", "tables = [\"loans\"]", "tables = [\"loan\"]");
    check_verify(&checkout, 3, &["FAILED"]);
}

#[test]
fn an_error_leaves_no_server() {
    let checkout = Checkout::new();
    checkout.migration("people/0002_bad", "selec 1;", "select 1;");
    check_verify(&checkout, 1, &[]);
}

#[track_caller]
fn check_signal(signal: Signal) {
    let checkout = Checkout::new();
    checkout.migration("people/0002_slow", SLOW, "select 1;");
    for moment in [Moment::Initdb, Moment::Starting, Moment::Ready] {
        let server = TestServer::start_proof(&checkout, moment);
        let output = server.end(signal);
        assert_eq!(output.status.code(), Some(130), "{moment:?}: {output:?}");
        server.expect_gone();
    }
}

#[test]
fn ctrl_c_leaves_no_server() {
    check_signal(Signal::INT);
}

#[test]
fn sigterm_leaves_no_server() {
    check_signal(Signal::TERM);
}

#[test]
fn the_next_command_removes_the_server_of_a_killed_one() {
    let (checkout, slow) = (Checkout::new(), Checkout::new());
    slow.migration("people/0002_slow", SLOW, "select 1;");
    for moment in [Moment::Initdb, Moment::Ready] {
        // Another command on this machine may remove it first. Then that command reports it, and ours does not.
        let said = (0..10).any(|_| {
            let server = TestServer::start_proof(&slow, moment);
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
fn proofs_run_on_the_server_of_database_url() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let output = outcome(&checkout.command(&db.url(), &["verify"]));
        output.expect(0, &["DATABASE_URL (environment)", "kept"]);
        assert!(!output.stdout.contains("native"), "{}", output.stdout);
        Ok(())
    });
}

/// A package with a test that passes on the test server, and one that fails. Each writes the server's address to a file.
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
fn xtask_test_passes_arguments_and_the_exit_code_on_and_ends_its_server() {
    let checkout = package();
    let (place, target) = (checkout.root().join("place"), checkout.root().join("target"));
    let has_nextest = cmd!("cargo-nextest", "--version").stdout_null().stderr_null().run().is_ok();
    let runner: &[&str] = if has_nextest { &["nextest", "run"] } else { &["test"] };
    for (filter, passes) in [("passes", Some(true)), ("fails", Some(false)), ("matches_nothing", None)] {
        let target = [("CARGO_TARGET_DIR", target.as_os_str())];
        let ours = outcome(&checkout.bare_command_in(&["test", "--", filter], &target));
        // Afterwards no server listens at the address that the test got.
        assert_eq!(place.exists(), passes.is_some(), "{ours:?}");
        if passes.is_some() {
            assert!(TcpStream::connect(fs::read_to_string(&place).unwrap()).is_err());
            fs::remove_file(&place).unwrap();
        }
        // The plain runner gets a listener in place of a server, because these tests only connect to it.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("postgres://{}/postgres", listener.local_addr().unwrap());
        let theirs = cargo([runner, &["--workspace", filter]].concat())
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
fn with_little_memory_the_server_is_on_disk_and_the_command_says_so() {
    let shared = Shared::new();
    // Containers often get this little memory.
    let small = "mount --make-rprivate / && mount -t tmpfs -o size=64m none /dev/shm && exec \"$@\"";
    let starter = ["unshare", "--mount", "sh", "-c", small, "sh"];
    let words = [&starter[..], &[xtask().to_str().unwrap(), "server", "start", "--test"]].concat();
    let output = outcome(&surrounded(&shared.checkout, cmd(words[0], &words[1..]), &[]));
    output.expect(0, &["on disk, which is slower: /dev/shm has ", "started"]);
    let right = shared.borrow(&["seeded", "1", "pass", RIGHT]);
    assert_eq!(outcome_line(&right)[1..], ["9", "3"]);
    let (postmaster, folder) = shared.postmaster();
    assert!(!folder.starts_with("/dev/shm"), "{}", folder.display());
    shared.xtask(&["server", "sweep"]).expect(0, &["1 unused test server ended"]);
    assert!(!lives(postmaster) && !folder.exists());
}
