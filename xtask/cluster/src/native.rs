//! The development server of one checkout: durable, on a port of its own, and running until somebody stops it.
//!
//! Every change is made under the lock of its home; finding a server that runs already takes no lock and starts no
//! process. Databases on it are not made here.

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
    revive::{Running, Startup, reachable, revive},
    state,
    surroundings::Surroundings,
};

/// Another command may be making the data directory, which takes half a second, or ten on a slow disk.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// The development server of one checkout, running or not.
#[derive(Clone, Debug)]
pub struct Native {
    home: Home,
}

/// What [`Native::status`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Never made, or removed by hand.
    Absent,
    /// There is a data directory, and no server.
    Stopped {
        /// Of the programs that it was last started with, such as `15.18`; of the data alone, such as `15`, if those
        /// are not known.
        version: String,
        /// The data directory.
        data: PathBuf,
        /// The server's log.
        log: PathBuf,
    },
    /// A server process has the data directory.
    Running {
        /// Its process.
        pid: i32,
        /// On 127.0.0.1.
        port: u16,
        /// As above.
        version: String,
        /// The data directory.
        data: PathBuf,
        /// The server's log.
        log: PathBuf,
        /// When it was started.
        since: SystemTime,
    },
}

/// What [`Native::stop`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It stopped this process.
    WasRunning {
        /// The process.
        pid: i32,
        /// How long that took.
        elapsed: Duration,
    },
    /// There was nothing to stop.
    NotRunning,
}

impl Native {
    /// The server of the checkout at `root`, with one superuser, `role`. Touches nothing.
    ///
    /// # Errors
    ///
    /// `root` does not exist, or this user has no home folder.
    pub fn of_checkout(root: &Path, minimum_major: u32, role: &str) -> anyhow::Result<Native> {
        Ok(Native { home: Home::of_checkout(root, minimum_major, role)? })
    }

    /// Another server of the same checkout, with its own data in a folder of that name.
    pub fn apart(&self, name: &str) -> Native {
        Native { home: self.home.apart(name) }
    }

    /// Whether a role and its password are those of this server.
    pub fn has_role(&self, role: &str, password: &str) -> bool {
        state::peek(&self.home.folder).is_some_and(|ours| ours.role == role && ours.password == password)
    }

    /// The state folder of the checkout, which may not exist yet.
    pub fn folder(&self) -> &Path {
        &self.home.folder
    }

    /// Makes and starts whatever is missing until the server answers.
    ///
    /// # Errors
    ///
    /// Another command holds the lock for too long, there are no programs, or the server does not start; the message
    /// quotes its log.
    pub async fn ensure_running(&self, surroundings: &impl Surroundings) -> anyhow::Result<Running> {
        if let Some(running) = find_running(&self.home).await {
            return Ok(running);
        }
        let began = Instant::now();
        folder::ensure(&self.home.folder, Access::Private)?;
        let home = self.home.resolved()?;
        let _lock = folder::lock(&home.lock(), LOCK_PATIENCE).await?;
        // The previous holder of the lock may have started it.
        match find_running(&home).await {
            Some(running) => Ok(running),
            None => revive(&home, surroundings, began).await,
        }
    }

    /// Reports what there is, without changing anything.
    ///
    /// # Errors
    ///
    /// The data directory can't be read, or is not one.
    pub fn status(&self) -> anyhow::Result<Status> {
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

    /// Stops the server; its data stays.
    ///
    /// # Errors
    ///
    /// It did not stop in time, or it is another user's.
    pub async fn stop(&self) -> anyhow::Result<Stopped> {
        let began = Instant::now();
        if !self.home.folder.is_dir() {
            return Ok(Stopped::NotRunning);
        }
        // Not while another command is starting it.
        let _lock = folder::lock(&self.home.lock(), LOCK_PATIENCE).await?;
        let cluster = self.home.cluster();
        let Some(file) = cluster.running()? else { return Ok(Stopped::NotRunning) };
        cluster.stop(&file, Signal::INT, TO_STOP).await?;
        Ok(Stopped::WasRunning { pid: file.pid.as_raw_nonzero().get(), elapsed: began.elapsed() })
    }
}

/// The server, if everything says that it is running and ours.
async fn find_running(home: &Home) -> Option<Running> {
    let state = state::peek(&home.folder)?;
    if state.role != home.role || state.binaries.major < home.minimum_major {
        return None;
    }
    let cluster = home.cluster();
    let pidfile::Read::Complete(file) = pidfile::read(&cluster.data).ok()? else { return None };
    // `None`, where there is no `/proc`: a stale file whose pid and port are both in use by other programs is too
    // unlikely.
    if file.state != ServerState::Ready
        || pidfile::serves_at_a_glance(file.pid, &cluster.data) == Some(false)
        || !reachable(file.port).await
    {
        return None;
    }
    Some(Running::new(&state, &file, Startup::AlreadyRunning, Vec::new()))
}
