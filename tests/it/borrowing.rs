//! Helpers for the tests of lent databases: processes that borrow, and services that a test may kill.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, PipeReader, PipeWriter, pipe},
    os::unix::{net::UnixStream, process::ExitStatusExt},
    path::PathBuf,
    process::Output,
    sync::LazyLock,
};

use duct::{Expression, Handle, cmd};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tests::workspace_root;

use crate::{
    checkout::{Checkout, Outcome, as_in_a_terminal, cargo, outcome, xtask},
    native_server::{lives, pid_of, processes, wait_until},
};

/// A statement that returns `9 3` in a migrated and seeded database.
pub(crate) const RIGHT: &str =
    "select (select count(*) from pg_tables where schemaname = 'public') || ' ' || count(*) from roles";

/// Otherwise a Docker daemon on this machine would affect which server commands choose.
const NO_DOCKER: &str = "unix:///nowhere/docker.sock";

static BORROWER: LazyLock<PathBuf> = LazyLock::new(|| {
    let build = cargo(["build", "--quiet", "--package", "tests", "--example", "borrower"]);
    build.dir(workspace_root()).run().unwrap();
    // Cargo puts this test into the folder `deps`, beside the folder `examples`.
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples/borrower")
});

/// A process that borrows (`tests/examples/borrower.rs`), with these of our environment variables and no others.
pub(crate) fn borrower(checkout: &Checkout, words: &[&str], more: &[(&str, &OsStr)]) -> Expression {
    surrounded(checkout, cmd(&*BORROWER, words), more)
}

/// Any command, in a checkout's environment.
pub(crate) fn surrounded(checkout: &Checkout, command: Expression, more: &[(&str, &OsStr)]) -> Expression {
    // Of two values for a variable, the one set first wins.
    let command =
        more.iter().fold(as_in_a_terminal(command), |command, (name, value)| command.env(name, value));
    ["DATABASE_URL", "XTASK_SERVER", tests::service::SERVER, tests::service::SERVICE]
        .into_iter()
        .fold(command, |command, name| command.env_remove(name))
        .env("XTASK_ROOT", checkout.root())
        .env("XTASK_BIN", xtask())
        .env("XDG_STATE_HOME", checkout.root().join("state"))
        .env("DOCKER_HOST", NO_DOCKER)
        .env("RUST_BACKTRACE", "0")
        .unchecked()
}

/// Starts a command; the caller waits for its end later.
pub(crate) fn begin(command: &Expression) -> Handle {
    command.stdout_capture().stderr_capture().start().unwrap()
}

/// A borrower that has its database, and ends when [`Waiting::end`] closes its input.
pub(crate) struct Waiting {
    pub(crate) process: Handle,
    /// What it has printed so far.
    pub(crate) line: String,
    input: PipeWriter,
    _output: BufReader<PipeReader>,
}

impl Waiting {
    /// Starts it, and waits until it has its database. Its last argument must be `wait`.
    pub(crate) fn begin(command: &Expression) -> Waiting {
        let (stdin, input) = pipe().unwrap();
        let (output, stdout) = pipe().unwrap();
        let process = command.stdin_file(stdin).stdout_file(stdout).stderr_capture().start().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(output);
        output.read_line(&mut line).unwrap();
        Waiting { process, line, input, _output: output }
    }

    /// Lets it finish.
    pub(crate) fn end(self) -> Output {
        drop(self.input);
        self.process.into_output().unwrap()
    }
}

/// The lines that a process prints. Waits for its end, and panics if it fails.
#[track_caller]
pub(crate) fn printed_lines(handle: &Handle) -> Vec<String> {
    let output = handle.wait().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// The words of the one line that a borrower printed. Panics if it failed.
#[track_caller]
pub(crate) fn outcome_line(outcome: &Outcome) -> Vec<&str> {
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:?}");
    outcome.stdout.split_whitespace().collect()
}

/// Kills a process, and waits for its end.
pub(crate) fn kill(handle: &Handle) {
    killed_alive(handle);
}

/// The same; returns whether the process was still running.
pub(crate) fn killed_alive(handle: &Handle) -> bool {
    let _ = kill_process(pid_of(handle), Signal::KILL);
    handle.wait().unwrap().status.signal() == Some(Signal::KILL.as_raw())
}

/// Runs one statement, and returns the first column of each row.
pub(crate) fn ask(url: &str, sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(async {
        let mut conn = PgConnection::connect(url).await?;
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut conn).await?;
        conn.close().await?;
        Ok::<_, sqlx::Error>(rows)
    });
    rows.unwrap().iter().map(|row| row.try_get_raw(0).unwrap().as_str().unwrap().to_owned()).collect()
}

/// The names of a server's databases.
pub(crate) fn databases(url: &str) -> Vec<String> {
    ask(url, "select datname from pg_database order by 1")
}

/// The in-memory service that the tests of its own checkout share. `new` does not start it yet.
pub(crate) struct Shared {
    pub(crate) checkout: Checkout,
}

impl Shared {
    pub(crate) fn new() -> Shared {
        Shared { checkout: Checkout::new() }
    }

    pub(crate) fn started() -> Shared {
        let shared = Shared::new();
        shared.xtask(&["server", "start", "--test"]).expect(0, &["started"]);
        shared
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Outcome {
        outcome(&surrounded(&self.checkout, cmd(xtask(), args), &[]))
    }

    pub(crate) fn borrow(&self, words: &[&str]) -> Outcome {
        outcome(&borrower(&self.checkout, words, &[]))
    }

    pub(crate) fn socket(&self) -> PathBuf {
        // As its commands see them.
        let variable = |name: &str| match name {
            "DOCKER_HOST" => Some(NO_DOCKER.into()),
            "DATABASE_URL" | "XTASK_SERVER" => None,
            _ => std::env::var_os(name),
        };
        tests::service::Sockets::in_checkout(self.checkout.root()).unwrap().shared(variable)
    }

    /// The connection string of its server, with the password.
    pub(crate) fn url(&self) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(tests::service::report(&self.socket())).unwrap().server
    }

    /// The processes that lend for this checkout, including the ones that `cargo xtask test` starts.
    pub(crate) fn hosts(&self) -> Vec<Pid> {
        let socket = self.socket().file_stem().unwrap().to_string_lossy().into_owned();
        let name = socket.split_once('-').unwrap().0;
        let serves = |words: &[String]| {
            words.iter().any(|word| word == "host") && words.iter().any(|word| word.contains(name))
        };
        processes().iter().filter(|it| serves(&it.words)).map(|it| it.pid).collect()
    }

    /// The postmaster of its only host, and the folder that holds all of its files.
    pub(crate) fn postmaster(&self) -> (Pid, PathBuf) {
        let hosts = self.hosts();
        assert_eq!(hosts.len(), 1, "{hosts:?}");
        let parent = hosts[0].as_raw_nonzero().get();
        let found = processes().into_iter().filter(|it| it.parent == parent);
        let found = found.filter_map(|it| Some((it.pid, it.data()?.parent()?.to_owned()))).next();
        found.unwrap()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A failed test may have stopped it, and borrowers may keep it running.
        for host in self.hosts() {
            let _ = kill_process(host, Signal::CONT);
        }
        self.xtask(&["server", "sweep"]);
        for host in self.hosts() {
            let _ = kill_process(host, Signal::TERM);
            wait_until("the service is gone", || !lives(host));
        }
    }
}

/// A service on a server that already runs.
pub(crate) struct Host {
    pub(crate) process: Handle,
    pub(crate) socket: PathBuf,
}

impl Host {
    pub(crate) fn start(checkout: &Checkout, url: &str) -> Host {
        // A socket's path may have about a hundred bytes.
        let socket = checkout.root().join(format!("{:08x}.socket", rand::random::<u32>()));
        let words = ["--server", "url", "server", "host", "--socket"].map(OsStr::new);
        let words = [&words[..], &[socket.as_os_str()]].concat();
        let process = begin(&surrounded(checkout, cmd(xtask(), words), &[("DATABASE_URL", OsStr::new(url))]));
        wait_until("it lends", || {
            assert!(process.try_wait().unwrap().is_none(), "{process:?}");
            UnixStream::connect(&socket).is_ok()
        });
        Host { process, socket }
    }

    /// A process that borrows from it.
    pub(crate) fn borrower(&self, checkout: &Checkout, words: &[&str]) -> Expression {
        borrower(checkout, words, &[(tests::service::SERVICE, self.socket.as_os_str())])
    }

    pub(crate) fn borrow(&self, checkout: &Checkout, words: &[&str]) -> Outcome {
        outcome(&self.borrower(checkout, words))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = kill_process(pid_of(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}
