//! What tests of the servers from this machine's own binaries share: a guard that stops the server, and a look at what
//! runs.

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

/// For what takes a second on a machine that is not busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A checkout with a native server of its own, which is stopped when the test is over.
pub(crate) struct NativeServer {
    pub(crate) checkout: Checkout,
}

impl NativeServer {
    /// Nothing is started yet.
    pub(crate) fn new() -> NativeServer {
        NativeServer { checkout: Checkout::new() }
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Outcome {
        outcome(&self.checkout.bare_command(args))
    }

    pub(crate) fn xtask_in(&self, args: &[&str], more: &[(&str, &OsStr)]) -> Outcome {
        outcome(&self.checkout.bare_command_in(args, more))
    }

    /// Starts a command and does not wait for it.
    pub(crate) fn begin(&self, args: &[&str]) -> Handle {
        self.checkout.bare_command(args).stdout_capture().stderr_capture().start().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.xtask(&["db-url"]).expect(0, &[]).stdout.trim().to_owned()
    }

    /// What `server status` says, by its names.
    pub(crate) fn status(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.xtask(&["server", "status", "--format", "json"]).expect(0, &[]).stdout)
            .unwrap()
    }

    /// Where it keeps its state, once it has any.
    pub(crate) fn found_folder(&self) -> Option<PathBuf> {
        fs::read_dir(self.checkout.root().join("state/xtask")).ok()?.flatten().map(|it| it.path()).next()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.found_folder().unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The servers that run on a data directory of this checkout.
    pub(crate) fn postmasters(&self) -> Vec<Pid> {
        let mut found = processes();
        found.retain(|it| it.data().is_some_and(|data| self.owns(data)));
        let pids: Vec<Pid> = found.iter().map(|it| it.pid).collect();
        // A session that was forked just now still has its server's command line.
        found.retain(|it| !pids.iter().any(|pid| pid.as_raw_nonzero().get() == it.parent));
        found.iter().map(|it| it.pid).collect()
    }

    pub(crate) fn postmaster(&self) -> Pid {
        let found = self.postmasters();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]
    }

    /// Data is below the checkout, or, where another user's, in a folder named after it.
    fn owns(&self, data: &Path) -> bool {
        let root = self.checkout.root().canonicalize().unwrap();
        data.starts_with(&root)
            || data.to_string_lossy().contains(&*root.file_name().unwrap().to_string_lossy())
    }

    /// Leaves something in the database that no command of ours would make again.
    pub(crate) fn write_data(&self) {
        run_sql(&self.url(), async |conn| {
            conn.execute("create schema mine; create table mine.kept as select 'kept'::text as what").await?;
            Ok(())
        });
    }

    #[track_caller]
    pub(crate) fn expect_data(&self) {
        run_sql(&self.url(), async |conn| {
            let what: String = sqlx::query_scalar("select what from mine.kept").fetch_one(conn).await?;
            assert_eq!(what, "kept");
            Ok(())
        });
    }
}

impl Drop for NativeServer {
    fn drop(&mut self) {
        let _ = self.checkout.bare_command(&["server", "stop"]).stdout_null().stderr_null().run();
        // A test that failed may have left what `server stop` does not find.
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

/// A process that shows its command line.
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
        // `pid (name) state parent …`, and the name may hold blanks.
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some(Process { pid: Pid::from_raw(pid)?, parent, words })
    }

    /// The data directory that it was started on by name, if it is a server.
    pub(crate) fn data(&self) -> Option<&Path> {
        match &self.words[..] {
            [program, option, data, ..] if program.ends_with("/postgres") && option == "-D" => {
                Some(data.as_ref())
            }
            _ => None,
        }
    }
}

/// All processes of this machine.
pub(crate) fn processes() -> Vec<Process> {
    let pids =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::read).collect()
}

pub(crate) fn lives(pid: Pid) -> bool {
    // A dead process that nobody has asked after is none.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !stat.contains(") Z ")
}

pub(crate) fn pid_of(handle: &Handle) -> Pid {
    Pid::from_raw(i32::try_from(handle.pids()[0]).unwrap()).unwrap()
}

/// Looks again and again until it is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "never came: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
