//! The folders for a server's data and password, and the locks on them.
//!
//! In a place that all users can write to (`/var/tmp`, `/dev/shm`), another user may have created the folder first. So every
//! folder is checked before it is used.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail};
use etcetera::BaseStrategy;

/// The name of the lock of a folder.
pub const LOCK: &str = "lock";

/// Who may enter a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only its owner.
    Private,
    /// Others may pass through it to what they own inside, but not list it. `nobody` reaches its data this way.
    PassThrough,
}

impl Access {
    fn mode(self) -> u32 {
        match self {
            Access::Private => 0o700,
            Access::PassThrough => 0o711,
        }
    }
}

/// Creates a folder and its parents. If it exists, checks that it belongs to this user, and sets its access.
///
/// # Errors
///
/// It can't be created, is not a folder, or belongs to another user.
pub fn ensure(folder: &Path, access: Access) -> anyhow::Result<()> {
    if let Some(parent) = folder.parent() {
        // New parents get the same access, so other users can at most pass through them.
        DirBuilder::new()
            .recursive(true)
            .mode(access.mode())
            .create(parent)
            .map_err(|error| unusable(folder, &error))?;
    }
    match DirBuilder::new().mode(access.mode()).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unusable(folder, &error)),
        Ok(()) | Err(_) => {}
    }
    let found = fs::symlink_metadata(folder).map_err(|error| unusable(folder, &error))?;
    check_owner(folder, &found)?;
    // The umask may have removed bits, and an older folder may have others.
    if found.mode() & 0o777 != access.mode() {
        fs::set_permissions(folder, fs::Permissions::from_mode(access.mode()))
            .map_err(|error| unusable(folder, &error))?;
    }
    Ok(())
}

/// Checks that a folder belongs to this user, if it exists. Changes nothing.
///
/// # Errors
///
/// It is not a folder, or belongs to another user.
pub(crate) fn require_own(folder: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(found) => check_owner(folder, &found),
        Err(_) => Ok(()),
    }
}

/// Reads a file that only this user can have written; `None` for any other.
pub fn read_private(path: &Path) -> Option<String> {
    // Without waiting for the writer of a pipe.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).ok()?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let about = file.metadata().ok()?;
    let ours = about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o022 == 0;
    if ours && about.is_file() { io::read_to_string(file).ok() } else { None }
}

fn check_owner(folder: &Path, found: &fs::Metadata) -> anyhow::Result<()> {
    let caller = rustix::process::geteuid().as_raw();
    if !found.is_dir() {
        bail!(
            "{} is not a folder, so it can't hold a server\n  see what it is: ls -ld {0}",
            folder.display()
        );
    }
    if found.uid() != caller {
        bail!(
            "{} belongs to user id {}, and this is user id {caller}, so it can't hold a server\n  \
             run the command as its owner, or keep servers in folders of yours: export \
             XDG_STATE_HOME=/a/folder TMPDIR=/another",
            folder.display(),
            found.uid()
        );
    }
    Ok(())
}

fn unusable(folder: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!(
        "cannot use {}: {error}\n  \
         keep servers in folders of yours: export XDG_STATE_HOME=/a/folder TMPDIR=/another",
        folder.display()
    )
}

/// The folders of this user's state and cache.
///
/// # Errors
///
/// This user has no home folder.
pub fn folders_of_user() -> anyhow::Result<impl BaseStrategy> {
    etcetera::choose_base_strategy().map_err(|error| {
        anyhow!("cannot find this user's home: {error}\n  name it: export HOME=/a/folder/of/yours")
    })
}

/// Writes a file that only this user can read. Readers see the old file or the whole new one.
///
/// The caller must hold the lock of the folder.
///
/// # Errors
///
/// It can't be written, as on a full disk. The old file stays.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(|error| {
        // A full disk leaves an empty draft.
        let _ = fs::remove_file(&draft);
        anyhow!("cannot write {}: {error}\n  see what room is left: df -h {}", path.display(), path.display())
    })
}

/// Removes the files of a cache that were not used for a month, but not its lock, which the caller must hold.
///
/// A use sets the file's time of modification.
pub fn remove_unused(folder: &Path) {
    const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let unused = || file.metadata().ok()?.modified().ok()?.elapsed().ok();
        if file.file_name() != LOCK && unused().is_some_and(|time| time > UNUSED) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Locks `path` until the returned file is dropped; the system also releases it when the process ends in any way.
///
/// Waits without blocking the thread, so that Ctrl-C still works.
///
/// # Errors
///
/// Another process held the lock for all of `patience`, or the file can't be opened.
pub async fn lock(path: &Path, patience: Duration) -> anyhow::Result<File> {
    let began = Instant::now();
    let file = open_lock(path)?;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if began.elapsed() >= patience => {
                let holder = fs::read_to_string(path).unwrap_or_default();
                let holder = if holder.trim().is_empty() { "unknown" } else { holder.trim() };
                bail!(
                    "gave up after {} s: another command (pid {holder}) holds the lock {}\n  \
                     see what it is doing: ps -f -p {holder}",
                    patience.as_secs(),
                    path.display()
                );
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("lock {}", path.display()));
            }
        }
    }
    // Only for the message above. The lock itself is the system's.
    let note =
        file.set_len(0).and_then(|()| (&file).write_all(format!("{}\n", std::process::id()).as_bytes()));
    note.with_context(|| format!("write {}", path.display()))?;
    Ok(file)
}

/// Locks `path` without waiting. Returns `None` if another process holds the lock.
///
/// # Errors
///
/// The file can't be opened.
pub fn lock_if_free(path: &Path) -> anyhow::Result<Option<File>> {
    let file = open_lock(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", path.display())),
    }
}

fn open_lock(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(|error| unusable(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-folder-{name}-{:08x}", rand::random::<u32>()));
        ensure(&folder, Access::Private).unwrap();
        folder
    }

    #[test]
    fn folders_are_closed_to_others_even_if_they_were_open() {
        let folder = trial("closed");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        ensure(&folder, Access::Private).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_symbolic_link_is_rejected() {
        let folder = trial("link");
        let link = folder.join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        let error = ensure(&link, Access::Private).unwrap_err().to_string();
        assert!(error.contains("is not a folder"), "{error}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn files_are_private_and_replaced_whole() {
        let folder = trial("write");
        let file = folder.join("server.json");
        write_private(&file, "a longer text").unwrap();
        write_private(&file, "short").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "short");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_lock_has_one_holder() {
        let folder = trial("lock");
        let path = folder.join("lock");
        let held = lock_if_free(&path).unwrap();
        assert!(held.is_some());
        assert!(lock_if_free(&path).unwrap().is_none());
        drop(held);
        assert!(lock_if_free(&path).unwrap().is_some());
        fs::remove_dir_all(&folder).unwrap();
    }
}
