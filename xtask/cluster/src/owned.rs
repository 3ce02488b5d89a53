//! The folders of test servers: each has a lock in it that its owner holds for life, and is cleared away once
//! nobody holds it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::Signal;

use crate::{
    account::Account,
    cluster::Cluster,
    folder::{self, Access},
    pidfile,
    process::TO_DROP,
};

/// A file system in memory; containers often get one of 64 MB.
const MEMORY: &str = "/dev/shm";
/// An empty server takes 40 MB, and a copy of a small database about 10.
const ROOM_MB: u64 = 512;
/// Others hold the lock of all folders while they clear away, a few milliseconds each.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);
/// An immediate shutdown writes nothing.
const TO_STOP: Duration = Duration::from_secs(10);

/// Where the data of test servers is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file system in memory.
    Memory,
    /// A folder for temporary files, which is slower.
    Disk {
        /// Why it is not in memory.
        why: String,
    },
}

/// A folder that is this process's own, and goes with it.
pub(crate) struct OwnedFolder {
    pub(crate) path: PathBuf,
    pub(crate) place: Place,
    /// The dead owners' folders that were cleared away on the occasion.
    pub(crate) cleared: Vec<PathBuf>,
    /// It stays when this is dropped, until the next one is made.
    kept: bool,
    /// Held for life. Nobody inherits it: files that Rust opens are closed in the programs that it starts.
    _lock: File,
}

impl OwnedFolder {
    pub(crate) async fn create(account: &Account) -> anyhow::Result<OwnedFolder> {
        let access = match account {
            Account::Own | Account::Namespace(_) => Access::Private,
            Account::Other { .. } => Access::PassThrough,
        };
        let (base, place) = base()?;
        let base_lock = folder::lock(&base.join("lock"), LOCK_PATIENCE).await?;
        let cleared = clear_away(&base).await?;
        let path = base.join(format!("{:016x}", rand::random::<u64>()));
        folder::ensure(&path, access)?;
        let lock = folder::lock_if_free(&path.join("lock"))?;
        // From here on nobody takes the folder for a dead owner's.
        drop(base_lock);
        let lock = lock.with_context(|| format!("{} is locked, and was made just now", path.display()))?;
        let mut owned = OwnedFolder { path, place, cleared, kept: false, _lock: lock };
        if owned.place == Place::Memory {
            // Left from when there was no room in memory. Theirs is another lock, so not under ours.
            owned.cleared.extend(clear_away_disk().await?);
        }
        Ok(owned)
    }

    /// For its log to be read.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }

    pub(crate) fn remove(&self) -> anyhow::Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("remove {}", self.path.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// For a panic, or work that was given up; what can't be removed is cleared away by the next one.
impl Drop for OwnedFolder {
    fn drop(&mut self) {
        let began = Instant::now();
        // What an ended program had started may be writing there for another moment.
        while !self.kept && self.remove().is_err() && began.elapsed() < TO_DROP {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Removes what the owners of test servers left when they were killed, and returns the folders that are gone.
///
/// # Errors
///
/// Another command holds the lock for too long, or a server without an owner does not stop.
pub async fn sweep() -> anyhow::Result<Vec<PathBuf>> {
    let (base, place) = base()?;
    let base_lock = folder::lock(&base.join("lock"), LOCK_PATIENCE).await?;
    let mut cleared = clear_away(&base).await?;
    drop(base_lock);
    if place == Place::Memory {
        cleared.extend(clear_away_disk().await?);
    }
    Ok(cleared)
}

/// The folder of all test servers of this user, whichever account each runs as.
fn base() -> anyhow::Result<(PathBuf, Place)> {
    let why = match memory() {
        Ok(base) => return Ok((base, Place::Memory)),
        // Without the remedy: the disk will do.
        Err(why) => why.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let base = disk();
    folder::ensure(&base, Access::PassThrough)?;
    Ok((resolved(&base)?, Place::Disk { why }))
}

fn memory() -> anyhow::Result<PathBuf> {
    let room = rustix::fs::statvfs(MEMORY).with_context(|| format!("no {MEMORY}"))?;
    let room_mb = room.f_bavail.saturating_mul(room.f_frsize) / (1024 * 1024);
    if room_mb < ROOM_MB {
        bail!("{MEMORY} has {room_mb} MB left, and {ROOM_MB} MB are wanted");
    }
    let base = Path::new(MEMORY).join(base_name());
    folder::ensure(&base, Access::PassThrough)?;
    resolved(&base)
}

fn disk() -> PathBuf {
    std::env::temp_dir().join(base_name())
}

fn base_name() -> String {
    format!("xtask-{}", rustix::process::geteuid().as_raw())
}

/// Processes are known by the real path of their data directory.
fn resolved(folder: &Path) -> anyhow::Result<PathBuf> {
    folder.canonicalize().with_context(|| format!("find {}", folder.display()))
}

async fn clear_away_disk() -> anyhow::Result<Vec<PathBuf>> {
    let Ok(base) = disk().canonicalize() else { return Ok(Vec::new()) };
    // Somebody else's folder of that name holds nothing of ours.
    let Some(_lock) = folder::lock_if_free(&base.join("lock")).ok().flatten() else { return Ok(Vec::new()) };
    clear_away(&base).await
}

/// Removes the folders that nobody owns, and their servers first. The caller holds the lock of `base`.
async fn clear_away(base: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(base).with_context(|| format!("list {}", base.display()))?;
    let mut cleared = Vec::new();
    for entry in entries.flatten().filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir())) {
        let folder = entry.path();
        let Ok(Some(_lock)) = folder::lock_if_free(&folder.join("lock")) else { continue };
        let cluster = Cluster::new(&folder, folder.join("server.log"));
        stop_servers_of(&cluster.data).await?;
        cluster.remove_debris().await;
        // Where there is no `/proc`, an orphaned initdb may still be writing; what is left waits for the next.
        if fs::remove_dir_all(&folder).is_ok() {
            cleared.push(folder);
        }
    }
    Ok(cleared)
}

pub(crate) async fn stop_servers_of(data: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let servers = pidfile::servers_of(data);
        let Some(pid) = servers.first() else { return Ok(()) };
        if began.elapsed() >= TO_STOP {
            bail!("a test server without an owner (pid {pid}) does not stop\n  stop it: kill -KILL {pid}");
        }
        for pid in &servers {
            // ESRCH: the first one of them, dying, has taken it along.
            let _ = rustix::process::kill_process(*pid, Signal::QUIT);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
