//! Starts `postgres` and waits until it is ready.
//!
//! Not through `pg_ctl`, which checks every 100 ms. `postmaster.pid` says when the server is ready, and we read it every
//! millisecond. The server gets a process group of its own and inherits no open file, so it survives Ctrl-C in the
//! terminal and outlives the command that started it.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek, SeekFrom},
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use rustix::process::Pid;
use xtask_protocol::SETTINGS;

use crate::{
    account::Account,
    binaries::Binaries,
    cluster::Cluster,
    pidfile::{self, PidFile, Read, ServerState},
    port::{free_port, is_free},
    process::{GivenUp, TO_DROP, TO_LET_GO, indented, last_lines},
};

/// The longest wait for a server's `postmaster.pid`. A loaded machine takes a second.
const TO_APPEAR: Duration = Duration::from_secs(30);
/// The longest wait for a server that has written it. After a crash the server first reads all changes since the last
/// checkpoint.
const TO_RECOVER: Duration = Duration::from_secs(300);
/// A larger log is renamed at the next start.
const LARGEST_LOG: u64 = 10 * 1024 * 1024;

/// How to start a server.
pub(crate) struct Launch<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) binaries: &'a Binaries,
    pub(crate) account: &'a Account,
    /// Each as `--name=value`.
    pub(crate) settings: &'a [&'a str],
    /// The port to use if it is free; `None` for any.
    pub(crate) port: Option<u16>,
    pub(crate) given_up: GivenUp,
}

/// A process that just started. Dropping it before [`Unattended::disarm`] applies `given_up`.
struct Unattended {
    pid: Pid,
    given_up: GivenUp,
}

impl Unattended {
    /// Leaves the process alone from now on: the wait for it is over.
    fn disarm(&mut self) {
        self.given_up = GivenUp::Leave;
    }
}

impl Drop for Unattended {
    fn drop(&mut self) {
        let began = Instant::now();
        if self.given_up == GivenUp::Stop
            && rustix::process::kill_process(self.pid, rustix::process::Signal::QUIT).is_ok()
        {
            while pidfile::exists(self.pid) && began.elapsed() < TO_DROP {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// A cause of a failed start that may pass in a moment.
///
/// Postgres exits with 1 for each of them and for much else, so only its messages distinguish them. Those are in English,
/// because we set the locale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// A killed server has not released its memory yet.
    SharedMemory,
    /// Another program took the port after we checked it.
    Port,
    /// A server whose command was killed during its start wrote its `postmaster.pid` after we checked.
    LockFile,
}

impl Obstacle {
    fn in_log(said: &str) -> Option<Obstacle> {
        let words = [
            ("pre-existing shared memory block", Obstacle::SharedMemory),
            ("Address already in use", Obstacle::Port),
            ("lock file \"postmaster.pid\"", Obstacle::LockFile),
        ];
        words.into_iter().find(|(words, _)| said.contains(words)).map(|(_, obstacle)| obstacle)
    }
}

/// The end of a wait for a server.
enum Waited {
    Ready(PidFile),
    Died,
}

impl Launch<'_> {
    /// Starts the server. Its port, in the result, is another than the requested one if that was taken.
    pub(crate) async fn run(&self) -> anyhow::Result<PidFile> {
        let began = Instant::now();
        let mut port = match self.port {
            Some(port) if is_free(port) => port,
            Some(_) | None => free_port()?,
        };
        loop {
            let (pid, log_began) = self.spawn(port)?;
            let mut unattended = Unattended { pid, given_up: self.given_up };
            let waited = ready(self.cluster, pid, pidfile::exists).await;
            unattended.disarm();
            if let Waited::Ready(file) = waited? {
                return Ok(file);
            }
            let said = log_since(self.cluster, log_began);
            let obstacle = Obstacle::in_log(&said).filter(|_| began.elapsed() < TO_LET_GO);
            match obstacle.ok_or_else(|| self.died(&said))? {
                Obstacle::SharedMemory => {}
                Obstacle::Port => {
                    port = free_port()?;
                    continue;
                }
                Obstacle::LockFile => {
                    if let Some(other) = self.cluster.running()?
                        && let Some(file) = wait_for_other(self.cluster, other.pid).await?
                    {
                        return Ok(file);
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn spawn(&self, port: u16) -> anyhow::Result<(Pid, u64)> {
        let cluster = self.cluster;
        let (log, log_began) = open_log(cluster)?;
        // `-D` has no long form: `data_directory` is another setting.
        let mut args = vec!["-D".into(), cluster.data.clone().into()];
        args.push(format!("--port={port}").into());
        // Only programs on this machine can reach it, and they need a password.
        args.push("--listen_addresses=127.0.0.1".into());
        args.extend(cluster.serve_socket().map(Into::into));
        args.extend(SETTINGS.map(Into::into));
        args.extend(self.settings.iter().map(Into::into));
        let postgres = self.binaries.program("postgres");
        // The order matters: duct applies the outer redirection first.
        let command = self
            .account
            .command(&postgres, args)
            .stdin_null()
            .stderr_to_stdout()
            .stdout_file(log)
            .unchecked();
        let command = command.before_spawn(|command| {
            command.process_group(0);
            Ok(())
        });
        // Dropping the handle leaves the server running. `pidfile::exists` reaps it if it dies before us.
        let handle = command.start().with_context(|| format!("start {}", postgres.display()))?;
        let pid = handle.pids().first().and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
        Ok((pid.context("the new process has no pid")?, log_began))
    }

    fn died(&self, said: &str) -> anyhow::Error {
        let log = self.cluster.log.display();
        let silent = said.trim().is_empty();
        let said = if silent { "it wrote nothing to its log".to_owned() } else { last_lines(said, 12) };
        if said.starts_with("unshare: ") {
            return anyhow!(
                "the data directory {} belongs to root, PostgreSQL refuses to run as root, and user \
                 namespaces are not allowed here\n{}\n  \
                 run the command as another user, or use another server: export \
                 DATABASE_URL=postgres://user@host/database",
                self.cluster.data.display(),
                indented(&said)
            );
        }
        let servers = pidfile::servers_of(&self.cluster.data);
        let remedy = match servers.first() {
            // Its `postmaster.pid` was removed, or a session of a killed server is still running a query.
            Some(pid) => {
                format!("process {pid} still uses it; stop that without losing data: kill -INT {pid}")
            }
            None if silent => format!("check the free space: df -h {log}"),
            None => format!("read the whole log: less {log}"),
        };
        anyhow!(
            "PostgreSQL {} in {} did not start\n{}\n  {remedy}",
            self.binaries.version,
            self.cluster.data.display(),
            indented(&said)
        )
    }
}

/// Waits until a server that another process starts or stops is ready; `None` if it ends.
pub(crate) async fn wait_for_other(cluster: &Cluster, pid: Pid) -> anyhow::Result<Option<PidFile>> {
    // It is not our child, so an existing pid proves nothing: it may be dead and not reaped by its parent yet.
    let serves =
        |pid| pidfile::serves_at_a_glance(pid, &cluster.data).unwrap_or_else(|| pidfile::exists(pid));
    match ready(cluster, pid, serves).await? {
        Waited::Ready(file) => Ok(Some(file)),
        Waited::Died => Ok(None),
    }
}

/// Waits until the server that is process `pid` is ready, or dead.
async fn ready(cluster: &Cluster, pid: Pid, lives: impl Fn(Pid) -> bool) -> anyhow::Result<Waited> {
    let began = Instant::now();
    loop {
        // Checked before reading the file, so that the file and the log of a dead server are complete.
        let lives = lives(pid);
        let file = match pidfile::read(&cluster.data)? {
            Read::Complete(file) if file.pid == pid => Some(file),
            Read::Complete(_) | Read::Absent | Read::Unreadable => None,
        };
        match file {
            _ if !lives => return Ok(Waited::Died),
            Some(file) if file.state == ServerState::Ready => return Ok(Waited::Ready(file)),
            Some(_) if began.elapsed() >= TO_RECOVER => {
                return Err(slow(cluster, pid, TO_RECOVER, "is still recovering"));
            }
            None if began.elapsed() >= TO_APPEAR => {
                return Err(slow(cluster, pid, TO_APPEAR, "has written no postmaster.pid"));
            }
            Some(_) | None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// The error for a server that took too long.
fn slow(cluster: &Cluster, pid: Pid, waited: Duration, what: &str) -> anyhow::Error {
    let said = indented(&last_lines(&log_since(cluster, 0), 5));
    anyhow!(
        "the server (pid {pid}) {what} after {} s, and was left running\n{said}\n  \
         watch it: tail -f {}\n  \
         then run the same command again",
        waited.as_secs(),
        cluster.log.display()
    )
}

/// The log from byte `start` on.
fn log_since(cluster: &Cluster, start: u64) -> String {
    let mut said = Vec::new();
    let read = File::open(&cluster.log).and_then(|mut log| {
        log.seek(SeekFrom::Start(start))?;
        log.read_to_end(&mut said)
    });
    match read {
        Ok(_) => String::from_utf8_lossy(&said).into_owned(),
        Err(error) => format!("(its log cannot be read: {error})"),
    }
}

/// Opens the log for appending, and returns its length.
fn open_log(cluster: &Cluster) -> anyhow::Result<(File, u64)> {
    let log = &cluster.log;
    if fs::metadata(log).is_ok_and(|it| it.len() > LARGEST_LOG) {
        fs::rename(log, log.with_extension("log.old"))
            .with_context(|| format!("rename {}", log.display()))?;
    }
    let open = OpenOptions::new().append(true).create(true).mode(0o600).open(log);
    let file = open.with_context(|| format!("open {}", log.display()))?;
    let length = file.metadata().with_context(|| format!("read {}", log.display()))?.len();
    Ok((file, length))
}
