//! Helpers for the tests of servers from this machine's own binaries: a guard that stops the server, and a list of the
//! running processes.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use duct::Handle;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::{Connection, Executor, PgConnection};

use crate::checkout::{Checkout, Outcome, outcome};

/// The timeout for work that takes a second on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A checkout with its own native server, which this guard stops when the test ends.
pub(crate) struct NativeServer {
    pub(crate) checkout: Checkout,
}

impl NativeServer {
    /// The checkout alone; a command starts the server.
    pub(crate) fn new() -> NativeServer {
        NativeServer { checkout: Checkout::new() }
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Outcome {
        outcome(&self.checkout.bare_command(args))
    }

    pub(crate) fn xtask_in(&self, args: &[&str], more: &[(&str, &OsStr)]) -> Outcome {
        outcome(&self.checkout.bare_command_in(args, more))
    }

    /// Starts a command without waiting for it.
    pub(crate) fn begin(&self, args: &[&str]) -> Handle {
        self.checkout.bare_command(args).stdout_capture().stderr_capture().start().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.xtask(&["db-url"]).expect(0, &[]).stdout.trim().to_owned()
    }

    /// The output of `server status`: values by name.
    pub(crate) fn status(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.xtask(&["server", "status", "--format", "json"]).expect(0, &[]).stdout)
            .unwrap()
    }

    /// The folder of its state, if it exists.
    pub(crate) fn found_folder(&self) -> Option<PathBuf> {
        fs::read_dir(self.checkout.root().join("state/xtask")).ok()?.flatten().map(|it| it.path()).next()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.found_folder().unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The servers that run on this checkout's data directories.
    pub(crate) fn postmasters(&self) -> Vec<Pid> {
        let mut found = processes();
        found.retain(|it| it.data().is_some_and(|data| self.owns(data)));
        let pids: Vec<Pid> = found.iter().map(|it| it.pid).collect();
        // A newly forked session still has its server's command line.
        found.retain(|it| !pids.iter().any(|pid| pid.as_raw_nonzero().get() == it.parent));
        found.iter().map(|it| it.pid).collect()
    }

    pub(crate) fn postmaster(&self) -> Pid {
        let found = self.postmasters();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]
    }

    /// The data is below the checkout, or, if another user owns it, in a folder named after the checkout.
    fn owns(&self, data: &Path) -> bool {
        let root = self.checkout.root().canonicalize().unwrap();
        data.starts_with(&root)
            || data.to_string_lossy().contains(&*root.file_name().unwrap().to_string_lossy())
    }

    /// Writes a table that no command of ours would create again.
    pub(crate) fn write_data(&self) {
        run_sql(&self.url(), async |conn| {
            // Not a table, which `db-check` would report as unexpected.
            conn.execute("select lo_from_bytea(4242, 'kept')").await?;
            Ok(())
        });
    }

    #[track_caller]
    pub(crate) fn expect_data(&self) {
        run_sql(&self.url(), async |conn| {
            let what: String =
                sqlx::query_scalar("select convert_from(lo_get(4242), 'UTF8')").fetch_one(conn).await?;
            assert_eq!(what, "kept");
            Ok(())
        });
    }
}

impl Drop for NativeServer {
    fn drop(&mut self) {
        let _ = self.checkout.bare_command(&["server", "stop"]).stdout_null().stderr_null().run();
        // A failed test may leave servers that `server stop` does not find.
        for pid in self.postmasters() {
            let _ = kill_process(pid, Signal::QUIT);
            wait_until("the server is gone", || !lives(pid));
        }
    }
}

#[track_caller]
fn run_sql(url: &str, work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async {
            let mut conn = PgConnection::connect(url).await?;
            work(&mut conn).await?;
            conn.close().await
        })
        .unwrap();
}

/// A process whose command line is readable.
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: i32,
    pub(crate) words: Vec<String>,
}

impl Process {
    fn read(pid: i32) -> Option<Process> {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let words =
            line.split(|byte| *byte == 0).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // `pid (name) state parent …`, where the name may contain blanks.
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some(Process { pid: Pid::from_raw(pid)?, parent, words })
    }

    /// The data directory in its command line, if it is a server.
    pub(crate) fn data(&self) -> Option<&Path> {
        match &self.words[..] {
            [program, option, data, ..] if program.ends_with("/postgres") && option == "-D" => {
                Some(data.as_ref())
            }
            _ => None,
        }
    }
}

/// All processes of this machine with a readable command line.
pub(crate) fn processes() -> Vec<Process> {
    let pids =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::read).collect()
}

pub(crate) fn lives(pid: Pid) -> bool {
    // A zombie, which its parent has not waited for yet, counts as dead.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !stat.contains(") Z ")
}

pub(crate) fn pid_of(handle: &Handle) -> Pid {
    Pid::from_raw(i32::try_from(handle.pids()[0]).unwrap()).unwrap()
}

/// Checks a condition every millisecond until it holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
