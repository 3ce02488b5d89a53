//! The development server of one checkout: durable, on a port of its own, and running until it is stopped.
//!
//! Every change happens under the lock of its home; finding a running server takes no lock and starts no process.
//! The caller creates the databases.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use rustix::process::Signal;

use crate::{
    cluster::TO_STOP,
    folder::{self, Access},
    home::Home,
    pidfile::{self, ServerState},
    port::reachable,
    revive::{Running, Startup, revive},
    state,
    surroundings::Surroundings,
};

/// Another command may be creating the data directory, which takes half a second, or ten on a slow disk.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// The development server of one checkout, running or not.
#[derive(Clone, Debug)]
pub struct Native {
    home: Home,
}

/// What [`Native::status`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was never created, or was removed by hand.
    Absent,
    /// There is a data directory, but no server process.
    Stopped {
        /// The version of the programs that last started it, such as `15.18`; if they are unknown, the major version
        /// of the data, such as `15`.
        version: String,
        /// The data directory.
        data: PathBuf,
        /// The server's log.
        log: PathBuf,
    },
    /// A server process runs on the data directory.
    Running {
        /// The process id.
        pid: i32,
        /// The port on 127.0.0.1.
        port: u16,
        /// The version, as of a stopped one.
        version: String,
        /// The data directory.
        data: PathBuf,
        /// The server's log.
        log: PathBuf,
        /// When it started.
        since: SystemTime,
    },
}

/// What [`Native::stop`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It stopped a server.
    WasRunning {
        /// The process id that the server had.
        pid: i32,
        /// How long that took.
        elapsed: Duration,
    },
    /// There was nothing to stop.
    NotRunning,
}

impl Native {
    /// The server of the checkout at `root`, whose superuser is `role`. Touches nothing.
    ///
    /// # Errors
    ///
    /// `root` does not exist, or this user has no home folder.
    pub fn of_checkout(root: &Path, minimum_major: u32, role: &str) -> anyhow::Result<Native> {
        Ok(Native { home: Home::of_checkout(root, minimum_major, role)? })
    }

    /// The servers of this user whose checkouts were moved or deleted, each with the folder that its checkout was in. A
    /// server that was last started before state files named the checkout is not among them. Touches nothing.
    ///
    /// # Errors
    ///
    /// This user has no home folder, or the state folder belongs to another user.
    pub fn without_checkout() -> anyhow::Result<Vec<(Native, PathBuf)>> {
        let homes = Home::without_checkout()?.into_iter();
        Ok(homes
            .filter_map(|home| home.checkout.clone().map(|checkout| (Native { home }, checkout)))
            .collect())
    }

    /// Another server of the same checkout, with its data in a folder called `name`.
    pub fn apart(&self, name: &str) -> Native {
        Native { home: self.home.apart(name) }
    }

    /// Whether this server has that role with that password, according to its state file.
    pub fn has_role(&self, role: &str, password: &str) -> bool {
        state::peek(&self.home.folder).is_some_and(|state| state.role == role && state.password == password)
    }

    /// The state folder of the checkout, which may not exist yet.
    pub fn folder(&self) -> &Path {
        &self.home.folder
    }

    /// Creates and starts the server as needed, and waits until it answers.
    ///
    /// # Errors
    ///
    /// Another command holds the lock for too long, there are no programs, or the server does not start; then the
    /// message quotes its log.
    pub async fn ensure_running(&self, surroundings: &impl Surroundings) -> anyhow::Result<Running> {
        if let Some(running) = find_running(&self.home).await {
            return Ok(running);
        }
        let began = Instant::now();
        folder::ensure(&self.home.folder, Access::Private)?;
        let home = self.home.resolved()?;
        let _lock = folder::lock(&home.lock(), LOCK_PATIENCE).await?;
        // The previous holder of the lock may have started the server.
        match find_running(&home).await {
            Some(running) => Ok(running),
            None => revive(&home, surroundings, began).await,
        }
    }

    /// Returns the server's state. Changes nothing.
    ///
    /// # Errors
    ///
    /// The data directory can't be read, or is not a data directory; or the state folder belongs to another user.
    pub fn status(&self) -> anyhow::Result<Status> {
        folder::require_own(&self.home.folder)?;
        let cluster = self.home.cluster();
        let Some(major) = cluster.major()? else { return Ok(Status::Absent) };
        let version = match state::peek(&self.home.folder) {
            Some(state) if state.binaries.major == major => state.binaries.version,
            Some(_) | None => major.to_string(),
        };
        let (data, log) = (cluster.data.clone(), cluster.log.clone());
        Ok(match cluster.running()? {
            Some(file) => {
                let pid = file.pid.as_raw_nonzero().get();
                Status::Running { pid, port: file.port, version, data, log, since: file.since }
            }
            None => Status::Stopped { version, data, log },
        })
    }

    /// Stops the server. Its data stays.
    ///
    /// # Errors
    ///
    /// The server did not stop in time, or it belongs to another user.
    pub async fn stop(&self) -> anyhow::Result<Stopped> {
        let began = Instant::now();
        if !self.home.folder.is_dir() {
            return Ok(Stopped::NotRunning);
        }
        folder::require_own(&self.home.folder)?;
        // Another command may be starting it.
        let _lock = folder::lock(&self.home.lock(), LOCK_PATIENCE).await?;
        let cluster = self.home.cluster();
        let Some(file) = cluster.running()? else { return Ok(Stopped::NotRunning) };
        cluster.stop(&file, Signal::INT, TO_STOP).await?;
        Ok(Stopped::WasRunning { pid: file.pid.as_raw_nonzero().get(), elapsed: began.elapsed() })
    }
}

/// The server, if it is certainly running and ours.
async fn find_running(home: &Home) -> Option<Running> {
    let state = state::peek(&home.folder)?;
    if state.role != home.role || state.binaries.major < home.minimum_major {
        return None;
    }
    let cluster = home.cluster();
    let pidfile::Read::Complete(file) = pidfile::read(&cluster.data).ok()? else { return None };
    // `None` if there is no `/proc`. Then the pid and the port are enough: that other programs use both by now is too
    // unlikely.
    if file.state != ServerState::Ready
        || pidfile::serves_at_a_glance(file.pid, &cluster.data) == Some(false)
        || !reachable(file.port).await
    {
        return None;
    }
    Some(Running::new(&cluster, &state, &file, Startup::AlreadyRunning, Vec::new()))
}
