//! One process at a time changes the containers of a repository.

use std::{
    env, fs,
    fs::{DirBuilder, File, TryLockError},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::time::sleep;

use xtask_protocol::Kind;

use crate::failure::failure;

/// The process with the lock may be pulling an image.
const PATIENCE: Duration = Duration::from_secs(600);

/// Waits for the lock. Closing the file releases it, so a killed process releases it too.
pub(crate) async fn lock(repository: &str) -> anyhow::Result<File> {
    let folder = folder()?;
    let path = folder.join(format!("{repository}.lock"));
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("open {}", path.display()))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("lock {}", path.display()));
            }
            Err(TryLockError::WouldBlock) if began.elapsed() > PATIENCE => {
                let message = format!(
                    "gave up after {} s: another command is starting the server of this checkout\n  find it: fuser {}",
                    PATIENCE.as_secs(),
                    path.display()
                );
                return Err(failure(Kind::Timeout, message));
            }
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// A private folder of this user, among the machine's temporary files.
fn folder() -> anyhow::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let base = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
    let folder = base.unwrap_or_else(env::temp_dir).join(format!("xtask-docker-{user}"));
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.with_context(|| format!("make the folder {}", folder.display()))?;
    // Every user can write to the parent folder, so another user may have created this one.
    if fs::symlink_metadata(&folder)?.uid() != user {
        bail!(
            "{} belongs to another user\n  name another folder: export TMPDIR=/a/folder/of/yours",
            folder.display()
        );
    }
    Ok(folder)
}
