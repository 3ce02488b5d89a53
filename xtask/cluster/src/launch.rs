//! Starts `postgres` and waits until it is ready.
//!
//! Never through `pg_ctl`, which looks every 100 ms; `postmaster.pid` says when the server is ready, and it
//! is looked at every millisecond. The server gets a process group of its own and no open file of ours, so it
//! outlives the command that started it, and Ctrl-C in the terminal.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek, SeekFrom},
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail};
use rand::RngExt;
use rustix::process::Pid;

use crate::{
    account::Account,
    binaries::Binaries,
    cluster::Cluster,
    pidfile::{self, PidFile, Read, ServerState},
    process::{GivenUp, TO_DROP, TO_LET_GO, indented, last_lines},
};

/// For a server to show a sign of life. A loaded machine takes a second.
const TO_APPEAR: Duration = Duration::from_secs(30);
/// For a server that is at work, which after a crash reads everything that was written since the last
/// checkpoint.
const TO_RECOVER: Duration = Duration::from_secs(300);
/// Below the ports that the system hands out to outgoing connections, any of which might take ours while we
/// are stopped.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const LARGEST_LOG: u64 = 10 * 1024 * 1024;

/// How to start the server of a data directory.
pub(crate) struct Launch<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) binaries: &'a Binaries,
    pub(crate) account: &'a Account,
    /// `--name=value` each.
    pub(crate) settings: &'a [&'a str],
    /// The port to use unless it is taken.
    pub(crate) port: Option<u16>,
    pub(crate) given_up: GivenUp,
}

/// A process that was started just now. Dropped before [`Unattended::disarm`], it becomes what `given_up` says.
struct Unattended {
    pid: Pid,
    given_up: GivenUp,
}

impl Unattended {
    /// The wait is over, so the process is no longer given up.
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

/// What kept a server from starting and may be gone in a moment.
///
/// Postgres exits with 1 for each of them and for much else, so its words are the only way to tell them apart. They are
/// English: a server gets no other locale for its messages than `C`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// A killed server has not let go of its memory yet.
    SharedMemory,
    /// Another program took the port after we had looked.
    Port,
    /// A server of a command that was killed in mid-start wrote its file after we had looked.
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

/// How waiting for a process ended.
enum Waited {
    Ready(PidFile),
    Died,
}

impl Launch<'_> {
    /// Starts the server. The answer tells the port, which is another than the wanted one if that was taken.
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
                        && let Some(file) = settled(self.cluster, other.pid).await?
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
        // `-D` has no long form, and `data_directory` means something else.
        let mut args = vec!["-D".into(), cluster.data.clone().into()];
        args.push(format!("--port={port}").into());
        // Nothing but this machine's own programs, and by a password, may reach it.
        args.push("--listen_addresses=127.0.0.1".into());
        args.push("--unix_socket_directories=".into());
        args.extend(self.settings.iter().map(Into::into));
        let postgres = self.binaries.program("postgres");
        // In this order: the outer redirection is made first.
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
        // Dropping the handle leaves the server running; `pidfile::exists` reaps it if it dies before us.
        let handle = command.start().with_context(|| format!("start {}", postgres.display()))?;
        let pid = handle.pids().first().and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
        Ok((pid.context("the process that was started has no pid")?, log_began))
    }

    fn died(&self, said: &str) -> anyhow::Error {
        let log = self.cluster.log.display();
        let silent = said.trim().is_empty();
        let said = if silent { "it wrote nothing to its log".to_owned() } else { last_lines(said, 12) };
        if said.starts_with("unshare: ") {
            return anyhow!(
                "the data directory {} belongs to root, as whom PostgreSQL does not run, and user \
                 namespaces are refused here\n{}\n  \
                 run the command as another user, or use another server: export \
                 DATABASE_URL=postgres://user@host/database",
                self.cluster.data.display(),
                indented(&said)
            );
        }
        let servers = pidfile::servers_of(&self.cluster.data);
        let remedy = match servers.first() {
            // Its `postmaster.pid` was removed, or a session of a killed server is still at its last query.
            Some(pid) => {
                format!("process {pid} is still at work there; stop it without loss: kill -INT {pid}")
            }
            None if silent => format!("see what room is left: df -h {log}"),
            None => format!("the whole log: less {log}"),
        };
        anyhow!(
            "PostgreSQL {} in {} did not start\n{}\n  {remedy}",
            self.binaries.version,
            self.cluster.data.display(),
            indented(&said)
        )
    }
}

/// Waits for a server that somebody else has started, or is stopping. `None`: it is gone.
pub(crate) async fn settled(cluster: &Cluster, pid: Pid) -> anyhow::Result<Option<PidFile>> {
    // Not our child, so its pid alone does not prove that it lives: a dead one may wait for its parent to
    // notice.
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
        // Asked before the file is read: a server that died in between has said so in its file or its
        // log.
        let lives = lives(pid);
        let file = match pidfile::read(&cluster.data)? {
            Read::Complete(file) if file.pid == pid => Some(file),
            Read::Complete(_) | Read::Absent | Read::Unreadable => None,
        };
        match file {
            _ if !lives => return Ok(Waited::Died),
            Some(file) if file.state == ServerState::Ready => return Ok(Waited::Ready(file)),
            Some(_) if began.elapsed() >= TO_RECOVER => {
                slow(cluster, pid, TO_RECOVER, "is still recovering")?;
            }
            None if began.elapsed() >= TO_APPEAR => slow(cluster, pid, TO_APPEAR, "shows no sign of life")?,
            Some(_) | None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

fn slow(cluster: &Cluster, pid: Pid, waited: Duration, what: &str) -> anyhow::Result<()> {
    let said = indented(&last_lines(&log_since(cluster, 0), 5));
    bail!(
        "the server (pid {pid}) {what} after {} s, and was left running\n{said}\n  \
         watch it: tail -f {}\n  \
         then run the same command again",
        waited.as_secs(),
        cluster.log.display()
    );
}

/// What the log says from byte `start` on.
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

fn open_log(cluster: &Cluster) -> anyhow::Result<(File, u64)> {
    let log = &cluster.log;
    if fs::metadata(log).is_ok_and(|it| it.len() > LARGEST_LOG) {
        fs::rename(log, log.with_extension("log.old"))
            .with_context(|| format!("put {} aside", log.display()))?;
    }
    let open = OpenOptions::new().append(true).create(true).mode(0o600).open(log);
    let file = open.with_context(|| format!("open {}", log.display()))?;
    let length = file.metadata().with_context(|| format!("read {}", log.display()))?.len();
    Ok((file, length))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

pub(crate) fn free_port() -> anyhow::Result<u16> {
    let mut rng = rand::rng();
    let free = (0..100).map(|_| rng.random_range(PORTS)).find(|port| is_free(*port));
    free.with_context(|| {
        format!(
            "found no free port on 127.0.0.1 between {} and {}\n  see who listens: netstat -an",
            PORTS.start, PORTS.end
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_listens_on_is_not_free() {
        let port = free_port().unwrap();
        assert!(PORTS.contains(&port));
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
    }

    #[test]
    fn the_last_lines_are_the_ones_with_words() {
        assert_eq!(last_lines("one\n\ntwo\n\nthree\n", 2), "two\nthree");
        assert_eq!(last_lines("", 2), "");
    }
}
