//! The test server: in memory, without durability, and gone when its owner is.
//!
//! It belongs to the process that starts it. If that is killed, the server lives on until the next test
//! server starts, which clears it away (`owned`). Databases on it are not made here.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::bail;
use rustix::process::Signal;
use sqlx::postgres::PgConnectOptions;

pub(crate) use super::owned::Place;
use super::{
    account::Account,
    cluster::{Cluster, Durability},
    launch::{GivenUp, Launch, TO_DROP},
    login::{Login, login_options, try_login},
    owned::{self, OwnedFolder},
    pidfile::{self, PidFile},
    programs::Programs,
    state::new_password,
};

/// An immediate shutdown writes nothing.
const TO_STOP: Duration = Duration::from_secs(10);

/// What makes it fast, and would lose data: nothing waits for a disk, and no background work gets in the way
/// of tests.
const SETTINGS: &[&str] = &[
    "--fsync=off",
    "--synchronous_commit=off",
    "--full_page_writes=off",
    "--autovacuum=off",
    "--jit=off",
    "--max_connections=200",
    // In its own folder, so that clearing that away leaves nothing behind.
    "--dynamic_shared_memory_type=mmap",
];

/// A running test server.
pub(crate) struct Ephemeral {
    cluster: Cluster,
    running: PidFile,
    role: String,
    password: String,
    version: String,
    elapsed: Duration,
    folder: OwnedFolder,
}

impl Ephemeral {
    /// Clears away what dead owners left, and starts a server with one superuser, `role`.
    ///
    /// If it does not start, its folder stays for its log to be read, until the next one starts. Where the start
    /// is given up in its midst, as by Ctrl-C, nothing stays.
    pub(super) async fn start(
        programs: Programs,
        minimum_major: u32,
        role: &str,
    ) -> anyhow::Result<Ephemeral> {
        let began = Instant::now();
        let binaries = programs.find(minimum_major, None).await?;
        let account = Account::choose()?;
        let mut folder = OwnedFolder::create(&account).await?;
        let cluster = Cluster::new(&folder.path, folder.path.join("server.log"));
        let password = new_password();
        let launched = async {
            cluster.create(&binaries, &account, role, &password, Durability::Throwaway).await?;
            let launch = Launch {
                cluster: &cluster,
                binaries: &binaries,
                account: &account,
                settings: SETTINGS,
                port: None,
                given_up: GivenUp::Stop,
            };
            launch.run().await
        };
        let running = match launched.await {
            Ok(running) => running,
            Err(error) => {
                folder.keep();
                return Err(error);
            }
        };
        let (role, version, elapsed) = (role.to_owned(), binaries.version, Duration::ZERO);
        let mut server = Ephemeral { cluster, running, role, password, version, elapsed, folder };
        match try_login(server.options()).await? {
            Login::Answered => server.elapsed = began.elapsed(),
            Login::Refused => bail!("the new test server refuses its own password"),
        }
        Ok(server)
    }

    /// Clears away what dead owners left, and starts nothing. The folders that are gone.
    pub(crate) async fn sweep() -> anyhow::Result<Vec<PathBuf>> {
        owned::sweep().await
    }

    /// Host, port, role and password; the database is for the caller to name.
    pub(crate) fn options(&self) -> PgConnectOptions {
        login_options(self.running.port, &self.role, &self.password)
    }

    /// The password alone.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// Such as `15.18`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn place(&self) -> &Place {
        &self.folder.place
    }

    /// The folders of killed owners that were cleared away at the start.
    pub(crate) fn cleared(&self) -> &[PathBuf] {
        &self.folder.cleared
    }

    /// How long it took from nothing to the first answer.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Stops the server and removes everything that was in it.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.cluster.stop(&self.running, Signal::QUIT, TO_STOP).await?;
        self.folder.remove()
    }
}

/// For a panic, or a return by `?`: takes the server down, but reports nothing and waits briefly. What it
/// does not get done is cleared away by the next start. After `stop` it finds nothing to do. The folder goes after
/// it, by a `Drop` of its own.
impl Drop for Ephemeral {
    fn drop(&mut self) {
        let began = Instant::now();
        let lives = || pidfile::serves(self.running.pid, &self.cluster.data);
        if lives() && rustix::process::kill_process(self.running.pid, Signal::QUIT).is_ok() {
            while lives() && began.elapsed() < TO_DROP {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}
