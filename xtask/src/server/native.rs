//! The development server of one checkout: durable, on a port of its own, and running until it is told to
//! stop.
//!
//! Its folder holds the state file, the log, the lock and the data directory. Every change is made under the
//! lock; the way to a server that runs already takes no lock and starts no process. Databases on it are not
//! made here.

use std::{
    fmt::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, anyhow};
use etcetera::BaseStrategy;
use rustix::process::Signal;
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnectOptions;
use url::Url;

use super::{
    account::Account,
    cluster::Cluster,
    folder::{self, Access},
    login::{self, login_options},
    pidfile::{self, ServerState},
    programs::Programs,
    state::{self, State},
};

/// Another command may be making the data directory, which takes half a second, or ten on a slow disk.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);
/// A fast shutdown ends every session, and then writes what is in memory.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// Where root's data is if user namespaces are refused: `nobody` can't reach root's home.
const SHARED_HOMES: [&str; 2] = ["/var/lib/xtask", "/var/tmp/xtask-0"];

/// The folder of the server from downloaded programs, in the checkout's.
const DOWNLOADED: &str = "download";

/// The development server of one checkout, running or not.
#[derive(Clone, Debug)]
pub(crate) struct Native {
    pub(super) folder: PathBuf,
    pub(super) minimum_major: u32,
    pub(super) role: String,
    pub(super) programs: Programs,
    /// Of its folder in root's homes.
    name: String,
}

/// A server that answered just now.
pub(crate) struct Running {
    /// Host, port, role and password; the database is for the caller to name.
    pub(crate) options: PgConnectOptions,
    pub(crate) password: String,
    pub(crate) started: Startup,
    /// What a user should hear of.
    pub(crate) notes: Vec<String>,
}

/// What it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Startup {
    AlreadyRunning,
    Started { elapsed: Duration },
    Created { elapsed: Duration },
}

/// What `status` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Never made, or removed by hand.
    Absent,
    Stopped {
        version: String,
        data: PathBuf,
        log: PathBuf,
    },
    Running {
        pid: i32,
        port: u16,
        version: String,
        data: PathBuf,
        log: PathBuf,
        since: SystemTime,
    },
}

/// What `stop` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    WasRunning { pid: i32, elapsed: Duration },
    NotRunning,
}

impl Native {
    /// The server of the checkout at `root`, from this machine's programs. Touches nothing.
    pub(crate) fn of_checkout(root: &Path, minimum_major: u32, role: &str) -> anyhow::Result<Native> {
        let root = root.canonicalize().with_context(|| format!("find the checkout {}", root.display()))?;
        let base = folders_of_user()?;
        let base = base.state_dir().unwrap_or_else(|| base.data_dir()).join("xtask");
        let name = folder_name(&root);
        let folder = base.join(&name);
        // Processes are known by the real path of their data directory.
        let folder = folder.canonicalize().unwrap_or(folder);
        let (role, programs) = (role.to_owned(), Programs::OfThisMachine);
        Ok(Native { folder, minimum_major, role, programs, name })
    }

    /// The checkout's server from these programs, which has its own data.
    pub(crate) fn with(&self, programs: Programs) -> Native {
        match programs {
            Programs::OfThisMachine => self.clone(),
            Programs::Downloaded => Native {
                folder: self.folder.join(DOWNLOADED),
                name: format!("{}-{DOWNLOADED}", self.name),
                programs,
                ..self.clone()
            },
        }
    }

    /// Whether a connection string is that of this server, on whatever port it was at the time.
    pub(crate) fn is_meant_by(&self, url: &Url) -> bool {
        let ours = state::peek(&self.folder);
        ours.is_some_and(|ours| {
            url.host_str() == Some("127.0.0.1")
                && url.username() == ours.role
                && url.password() == Some(ours.password.as_str())
        })
    }

    /// The state folder of the checkout, which may not be there yet.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes and starts whatever is missing until the server answers.
    pub(crate) async fn ensure_running(&self) -> anyhow::Result<Running> {
        if let Some(running) = self.running_already().await {
            return Ok(running);
        }
        let began = Instant::now();
        folder::ensure(&self.folder, Access::Private)?;
        let settled = Native { folder: self.folder.canonicalize()?, ..self.clone() };
        let _lock = folder::lock(&settled.folder.join("lock"), LOCK_PATIENCE).await?;
        // The one who had the lock before us may have started it.
        match settled.running_already().await {
            Some(running) => Ok(running),
            None => settled.revive(began).await,
        }
    }

    /// The server, if everything says that it is running and ours.
    async fn running_already(&self) -> Option<Running> {
        let state = state::peek(&self.folder)?;
        if state.role != self.role || state.binaries.major < self.minimum_major {
            return None;
        }
        let cluster = self.cluster();
        let pidfile::Read::Complete(file) = pidfile::read(&cluster.data).ok()? else { return None };
        // `None`, where there is no `/proc`: a stale file, its pid and its port all in use by others is too
        // much chance.
        if file.state != ServerState::Ready
            || pidfile::serves_at_a_glance(file.pid, &cluster.data) == Some(false)
        {
            return None;
        }
        login::reachable(file.port)
            .await
            .then(|| self.describe(&state, &file, Startup::AlreadyRunning, vec![]))
    }

    pub(super) fn describe(
        &self,
        state: &State,
        file: &pidfile::PidFile,
        started: Startup,
        notes: Vec<String>,
    ) -> Running {
        Running {
            options: login_options(file.port, &state.role, &state.password),
            password: state.password.clone(),
            started,
            notes,
        }
    }

    /// What there is, without changing anything.
    pub(crate) fn status(&self) -> anyhow::Result<Status> {
        let cluster = self.cluster();
        let Some(major) = cluster.major()? else { return Ok(Status::Absent) };
        let version = match state::peek(&self.folder) {
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
    pub(crate) async fn stop(&self) -> anyhow::Result<Stopped> {
        let began = Instant::now();
        if !self.folder.is_dir() {
            return Ok(Stopped::NotRunning);
        }
        // Not while another command is starting it.
        let _lock = folder::lock(&self.folder.join("lock"), LOCK_PATIENCE).await?;
        let cluster = self.cluster();
        let Some(file) = cluster.running()? else { return Ok(Stopped::NotRunning) };
        cluster.stop(&file, Signal::INT, STOP_PATIENCE).await?;
        Ok(Stopped::WasRunning { pid: file.pid.as_raw_nonzero().get(), elapsed: began.elapsed() })
    }

    /// The data directory, wherever it is; if there is none, where it would be for an ordinary user.
    pub(super) fn cluster(&self) -> Cluster {
        let own = self.cluster_in(&self.folder);
        if own.data.exists() || !rustix::process::geteuid().is_root() {
            return own;
        }
        let shared = self.shared_homes().map(|home| self.cluster_in(&home));
        // Others could have made a folder of that name first.
        let roots = |path: Option<&Path>| {
            path.and_then(|path| path.symlink_metadata().ok()).is_some_and(|it| it.is_dir() && it.uid() == 0)
        };
        let trusted = |it: &Cluster| {
            it.data.exists() && roots(it.data.parent()) && roots(it.data.parent().and_then(Path::parent))
        };
        shared.into_iter().find(trusted).unwrap_or(own)
    }

    /// Where to make the data directory.
    pub(super) fn place(&self, account: &Account) -> anyhow::Result<Cluster> {
        let Account::Other { .. } = account else { return Ok(self.cluster_in(&self.folder)) };
        let mut refused = None;
        for home in self.shared_homes() {
            let made = home.parent().map_or(Ok(()), |parent| folder::ensure(parent, Access::PassThrough));
            match made.and_then(|()| folder::ensure(&home, Access::PassThrough)) {
                Ok(()) => return Ok(self.cluster_in(&home)),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| anyhow!("no folder for the data of `nobody`")))
    }

    fn cluster_in(&self, home: &Path) -> Cluster {
        Cluster::new(home, self.folder.join("server.log"))
    }

    fn shared_homes(&self) -> [PathBuf; 2] {
        SHARED_HOMES.map(|home| Path::new(home).join(&self.name))
    }
}

/// Where this user's state and cache are.
pub(super) fn folders_of_user() -> anyhow::Result<impl BaseStrategy> {
    etcetera::choose_base_strategy().map_err(|error| {
        anyhow!("cannot tell this user's home: {error}\n  name it: export HOME=/a/folder/of/yours")
    })
}

/// Readable, and never the same for two checkouts: the name of its folder, and eight digits of a hash of its
/// path.
fn folder_name(root: &Path) -> String {
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut folder: String = name.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    folder.push('-');
    for byte in &Sha256::digest(root.as_os_str().as_encoded_bytes())[..4] {
        // Writing to a string does not fail.
        let _ = write!(folder, "{byte:02x}");
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkouts_have_folders_of_their_own() {
        assert_eq!(folder_name(Path::new("/home/me/shop")), "shop-4a68c726");
        assert_eq!(folder_name(Path::new("/home/me/my shop")).split_once('-').unwrap().0, "my");
        assert_ne!(folder_name(Path::new("/home/me/shop")), folder_name(Path::new("/home/you/shop")));
    }
}
