//! The folders of test servers. The owner of a folder holds a lock in it for life; once that lock is free, the next
//! command removes the folder.

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

/// A file system in memory. In containers it often has only 64 MB.
const MEMORY: &str = "/dev/shm";
/// An empty server takes 40 MB, and a copy of a small database about 10.
const ROOM_MB: u64 = 512;
/// Other commands hold the lock of all folders while they clean up, for a few milliseconds each.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);
/// The longest wait for an immediate shutdown, which writes nothing.
const TO_STOP: Duration = Duration::from_secs(10);

/// Where the data of test servers is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file system in memory.
    Memory,
    /// The folder for temporary files, which is slower.
    Disk {
        /// Why it is not in memory.
        why: String,
    },
}

/// A folder of this process, which is removed with it.
pub(crate) struct OwnedFolder {
    pub(crate) path: PathBuf,
    pub(crate) place: Place,
    /// The folders of dead owners that were removed at its creation.
    pub(crate) cleared: Vec<PathBuf>,
    /// It stays when this is dropped, until the next one is created.
    kept: bool,
    /// Held for life. Child processes don't inherit it, because Rust opens files with close-on-exec.
    _lock: File,
}

impl OwnedFolder {
    pub(crate) async fn create(account: &Account) -> anyhow::Result<OwnedFolder> {
        let access = match account {
            Account::Own | Account::Namespace(_) => Access::Private,
            Account::Other { .. } => Access::PassThrough,
        };
        let (base, place) = base()?;
        let base_lock = folder::lock(&base.join(folder::LOCK), LOCK_PATIENCE).await?;
        let cleared = clear_away(&base).await?;
        let path = base.join(format!("{:016x}", rand::random::<u64>()));
        folder::ensure(&path, access)?;
        let lock = folder::lock_if_free(&path.join(folder::LOCK))?;
        // The folder is locked now, so no other command removes it.
        drop(base_lock);
        let lock =
            lock.with_context(|| format!("another process locked {}, which is new", path.display()))?;
        let mut owned = OwnedFolder { path, place, cleared, kept: false, _lock: lock };
        if owned.place == Place::Memory {
            // Folders on disk remain from a time without room in memory. They have another lock, so ours is released.
            owned.cleared.extend(clear_away_disk().await?);
        }
        Ok(owned)
    }

    /// Keeps the folder, so that people can read the log in it.
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

/// For a panic or an interruption. If it fails, the next test server removes the folder.
impl Drop for OwnedFolder {
    fn drop(&mut self) {
        let began = Instant::now();
        // Children of a program that has ended may go on writing there for a moment.
        while !self.kept && self.remove().is_err() && began.elapsed() < TO_DROP {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Stops the test servers of killed owners, removes their folders, and returns those.
///
/// # Errors
///
/// Another command holds the lock for too long, or such a server does not stop.
pub async fn sweep() -> anyhow::Result<Vec<PathBuf>> {
    let (base, place) = base()?;
    let base_lock = folder::lock(&base.join(folder::LOCK), LOCK_PATIENCE).await?;
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
        // Only the first line: the rest is a remedy, and the disk is good enough.
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
        bail!("{MEMORY} has {room_mb} MB left, and a test server needs {ROOM_MB} MB");
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

/// The real path of a folder: processes are recognised by the real path of their data directory.
fn resolved(folder: &Path) -> anyhow::Result<PathBuf> {
    folder.canonicalize().with_context(|| format!("find {}", folder.display()))
}

async fn clear_away_disk() -> anyhow::Result<Vec<PathBuf>> {
    let Ok(base) = disk().canonicalize() else { return Ok(Vec::new()) };
    // If another user owns the folder of that name, nothing in it is ours.
    let free = folder::require_own(&base).and_then(|()| folder::lock_if_free(&base.join(folder::LOCK)));
    let Some(_lock) = free.ok().flatten() else { return Ok(Vec::new()) };
    clear_away(&base).await
}

/// Stops servers without an owner, removes their folders, and returns those. The caller must hold the lock of `base`.
async fn clear_away(base: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(base).with_context(|| format!("list {}", base.display()))?;
    let mut cleared = Vec::new();
    for entry in entries.flatten().filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir())) {
        let folder = entry.path();
        let Ok(Some(_lock)) = folder::lock_if_free(&folder.join(folder::LOCK)) else { continue };
        let cluster = Cluster::new(&folder, folder.join("server.log"));
        stop_servers_of(&cluster.data).await?;
        cluster.remove_debris().await;
        // Without `/proc`, an orphaned initdb may still be writing there. Then the next command tries again.
        if fs::remove_dir_all(&folder).is_ok() {
            cleared.push(folder);
        }
    }
    Ok(cleared)
}

/// Stops every server that runs on `data`.
pub(crate) async fn stop_servers_of(data: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let servers = pidfile::servers_of(data);
        let Some(pid) = servers.first() else { return Ok(()) };
        if began.elapsed() >= TO_STOP {
            bail!("a test server without an owner (pid {pid}) does not stop\n  stop it: kill -KILL {pid}");
        }
        for pid in &servers {
            // ESRCH: it ended together with the first of them.
            let _ = rustix::process::kill_process(*pid, Signal::QUIT);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
