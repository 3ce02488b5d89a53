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

use super::{
    account::Account,
    binaries::Binaries,
    cluster::{Cluster, indented, last_lines},
    pidfile::{self, PidFile, Read, ServerState},
};

/// For a server to show a sign of life. A loaded machine takes a second.
const TO_APPEAR: Duration = Duration::from_secs(30);
/// For a server that is at work, which after a crash reads everything that was written since the last
/// checkpoint.
const TO_RECOVER: Duration = Duration::from_secs(300);
/// For what a killed server leaves behind to notice, and to let go of its memory.
pub(super) const TO_LET_GO: Duration = Duration::from_secs(10);
/// In `Drop`, which must not wait for long; an immediate shutdown takes 8 ms.
pub(super) const TO_DROP: Duration = Duration::from_millis(250);
/// Below the ports that the system hands out to outgoing connections, any of which might take ours while we
/// are stopped.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const LARGEST_LOG: u64 = 10 * 1024 * 1024;

/// How to start the server of a data directory.
pub(super) struct Launch<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) binaries: &'a Binaries,
    pub(super) account: &'a Account,
    /// `--name=value` each.
    pub(super) settings: &'a [&'a str],
    /// The port to use unless it is taken.
    pub(super) port: Option<u16>,
    pub(super) given_up: GivenUp,
}

/// What becomes of a program whose starter is interrupted before it is ready, or at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// It goes on, and the next command finds it.
    Leave,
    /// It is of no use to anybody else.
    Stop,
    /// It ends by itself within a moment, and is waited for.
    Finish,
}

/// A process that was started just now. Dropped while it is being waited for, it is what `given_up` says.
struct Unattended {
    pid: Pid,
    given_up: GivenUp,
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

/// How waiting for a process ended.
enum Waited {
    Ready(PidFile),
    Died,
}

impl Launch<'_> {
    /// Starts the server. The answer tells the port, which is another than the wanted one if that was taken.
    pub(super) async fn run(&self) -> anyhow::Result<PidFile> {
        let began = Instant::now();
        let mut port = match self.port {
            Some(port) if is_free(port) => port,
            Some(_) | None => free_port()?,
        };
        loop {
            let (pid, log_began) = self.spawn(port)?;
            let unattended = Unattended { pid, given_up: self.given_up };
            let waited = self.cluster.ready(pid, pidfile::exists).await;
            // However that went, it was waited for.
            std::mem::forget(unattended);
            if let Waited::Ready(file) = waited? {
                return Ok(file);
            }
            let said = self.cluster.log_since(log_began);
            let in_time = began.elapsed() < TO_LET_GO;
            if said.contains("pre-existing shared memory block") && in_time {
                tokio::time::sleep(Duration::from_millis(50)).await;
            } else if said.contains("Address already in use") && in_time {
                // Somebody took it after we had looked.
                port = free_port()?;
            } else if said.contains("lock file \"postmaster.pid\"") && in_time {
                // A command that was killed in mid-start has left a server, which was slower than us to write
                // its file.
                if let Some(other) = self.cluster.running()?
                    && let Some(file) = self.cluster.settled(other.pid).await?
                {
                    return Ok(file);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            } else {
                return Err(self.died(&said));
            }
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
        let handle = command.start().with_context(|| format!("start {}", postgres.display()))?;
        let pid = handle.pids().first().and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
        // Nobody waits for a server that outlives us; `pidfile::exists` lays it to rest if it dies before.
        std::mem::forget(handle);
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

impl Cluster {
    /// Waits for a server that somebody else has started, or is stopping. `None`: it is gone.
    pub(super) async fn settled(&self, pid: Pid) -> anyhow::Result<Option<PidFile>> {
        // Not our child, so its pid alone does not prove that it lives: a dead one may wait for its parent to
        // notice.
        let serves =
            |pid| pidfile::serves_at_a_glance(pid, &self.data).unwrap_or_else(|| pidfile::exists(pid));
        match self.ready(pid, serves).await? {
            Waited::Ready(file) => Ok(Some(file)),
            Waited::Died => Ok(None),
        }
    }

    /// Waits until the server that is process `pid` is ready, or dead.
    async fn ready(&self, pid: Pid, lives: impl Fn(Pid) -> bool) -> anyhow::Result<Waited> {
        let began = Instant::now();
        loop {
            // Asked before the file is read: a server that died in between has said so in its file or its
            // log.
            let lives = lives(pid);
            let file = match pidfile::read(&self.data)? {
                Read::Complete(file) if file.pid == pid => Some(file),
                Read::Complete(_) | Read::Absent | Read::Unreadable => None,
            };
            match file {
                _ if !lives => return Ok(Waited::Died),
                Some(file) if file.state == ServerState::Ready => return Ok(Waited::Ready(file)),
                Some(_) if began.elapsed() >= TO_RECOVER => {
                    self.slow(pid, TO_RECOVER, "is still recovering")?;
                }
                None if began.elapsed() >= TO_APPEAR => self.slow(pid, TO_APPEAR, "shows no sign of life")?,
                Some(_) | None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }

    fn slow(&self, pid: Pid, waited: Duration, what: &str) -> anyhow::Result<()> {
        let said = indented(&last_lines(&self.log_since(0), 5));
        bail!(
            "the server (pid {pid}) {what} after {} s, and was left running\n{said}\n  \
             watch it: tail -f {}\n  \
             then run the same command again",
            waited.as_secs(),
            self.log.display()
        );
    }

    /// What the log says from byte `start` on.
    fn log_since(&self, start: u64) -> String {
        let mut said = Vec::new();
        let read = File::open(&self.log).and_then(|mut log| {
            log.seek(SeekFrom::Start(start))?;
            log.read_to_end(&mut said)
        });
        match read {
            Ok(_) => String::from_utf8_lossy(&said).into_owned(),
            Err(error) => format!("(its log cannot be read: {error})"),
        }
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

pub(super) fn free_port() -> anyhow::Result<u16> {
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
