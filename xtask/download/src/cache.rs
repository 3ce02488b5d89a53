//! The folder of the programs: one process at a time changes it, and what stands there is whole.

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

use crate::{
    failure::{Kind, failure},
    maven::Maven,
    message::{Answer, Request, State},
    note,
    trial::{self, Trial},
};

/// Whoever holds the lock may be downloading over a slow line.
const PATIENCE: Duration = Duration::from_secs(1200);
/// How the folders begin in which archives are unpacked: debris, if nobody holds the lock.
const DRAFT: &str = "draft-";

/// The programs, as they are kept; downloaded where they are not.
pub(crate) async fn fetch(request: &Request) -> anyhow::Result<Answer> {
    let folder = &request.folder;
    let unusable = |error: &dyn Display| unusable(folder, error);
    let parent = folder.parent().ok_or_else(|| unusable(&"it has no parent"))?;
    fs::create_dir_all(parent).map_err(|error| unusable(&error))?;
    let _lock = lock(parent).await?;
    remove_drafts(parent).map_err(|error| unusable(&error))?;
    // The one who had the lock before us may have been at the same.
    if let Trial::Runs { version } = trial::run(folder, &request.version) {
        return Ok(Answer { bin: folder.join("bin"), version, state: State::Kept });
    }
    // Before the download: it shows whether there may be something here.
    let draft =
        tempfile::Builder::new().prefix(DRAFT).tempdir_in(parent).map_err(|error| unusable(&error))?;
    let version = unpack(request, &draft).await?;
    if folder.exists() {
        // It does not run, or we would not be here.
        fs::remove_dir_all(folder).map_err(|error| unusable(&error))?;
    }
    fs::rename(unpacked(&draft), folder).map_err(|error| unusable(&error))?;
    Ok(Answer { bin: folder.join("bin"), version, state: State::Downloaded })
}

async fn unpack(request: &Request, draft: &TempDir) -> anyhow::Result<String> {
    let maven = Maven::new(&request.from)?;
    note(&format!("downloading PostgreSQL {} from {maven}, about 24 MB", request.version));
    let archive = maven.archive(&request.version).await?;
    let folder = unpacked(draft);
    // The library locks and drafts in the folder above the one that it makes: a lock that two can hold at once, and
    // drafts that stay. Here it has one to itself.
    let done = maven.unpack(&archive, &folder).await;
    done.map_err(|error| unusable(&request.folder, &error))?;
    // As `nobody` a server of root's must come in, and the library's folder is for its maker alone.
    let open = fs::set_permissions(&folder, fs::Permissions::from_mode(0o755));
    open.map_err(|error| unusable(&request.folder, &error))?;
    match trial::run(&folder, &request.version) {
        Trial::Runs { version } => Ok(version),
        Trial::Fails { why } => Err(failure(
            Kind::NotForHere,
            format!(
                "PostgreSQL {} of {maven} does not run here, so nothing of it was kept: {why}\n  \
                 it is built for Linux with glibc 2.17 or newer, and for macOS",
                request.version
            ),
        )),
    }
}

fn unpacked(draft: &TempDir) -> std::path::PathBuf {
    draft.path().join("postgresql")
}

fn unusable(folder: &Path, error: &dyn Display) -> anyhow::Error {
    let folder = folder.display();
    failure(
        Kind::Folder,
        format!(
            "cannot keep PostgreSQL's programs in {folder}, so nothing of them was kept: {error}\n  \
             they take about 60 MB; see what room is left: df -h\n  \
             or keep them in another folder: export XDG_CACHE_HOME=/a/folder/of/yours"
        ),
    )
}

/// Waits for the lock; it is let go with the file, also by a process that is killed.
async fn lock(parent: &Path) -> anyhow::Result<File> {
    let path = parent.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| unusable(parent, &error))?;
    let began = Instant::now();
    let mut told = false;
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
                return Err(failure(Kind::Timeout, message));
            }
            Err(TryLockError::WouldBlock) => {
                if !told {
                    note("another command is downloading PostgreSQL; waiting for it");
                    told = true;
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// Removes what killed downloads have left. The caller holds the lock.
fn remove_drafts(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(DRAFT) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
