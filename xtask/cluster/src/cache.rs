//! The data directory that test servers begin with, made by `initdb` once and copied for each.
//!
//! An entry is one file, which a rename puts there whole, so that it is read without a lock. It holds no password, and
//! its `pg_hba.conf` lets nobody in: both are for the server that gets a copy. All copies have the same system
//! identifier, which matters to replication alone.
//!
//! A cache that can't be used is none: then there is half a second more to wait, and nothing to tell.

use std::{
    env,
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::ensure;
use etcetera::BaseStrategy as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    account::Account,
    archive,
    binaries::Binaries,
    folder::{self, Access},
};

/// Of the file, and of what is in the data directory without being an option of `initdb`.
const FORMAT: u32 = 1;
/// The folder's other files.
const LOCK: &str = "lock";
const DRAFT: &str = "draft";
/// After that an entry's programs are no longer there, most likely. It has 23 MB.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// `initdb` writes the name of the zone into the settings.
const LOCAL_TIME: &str = "/etc/localtime";

/// The place of one data directory in the cache.
pub(crate) struct Cache {
    folder: PathBuf,
    entry: PathBuf,
}

impl Cache {
    /// For what these programs make with these options; touches nothing. `None`: this user has no home.
    pub(crate) fn for_options(binaries: &Binaries, options: &[String]) -> Option<Cache> {
        let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("xtask/clusters");
        let zone = (env::var("TZ").ok(), fs::canonicalize(LOCAL_TIME).ok());
        let machine = (env::consts::ARCH, env::consts::OS);
        let mut key = Sha256::new();
        key.update(json!([FORMAT, machine, zone]).to_string());
        // With their version, their path and the time of their last change.
        key.update(serde_json::to_string(binaries).ok()?);
        key.update(serde_json::to_string(options).ok()?);
        key.update(fs::read(LOCAL_TIME).unwrap_or_default());
        let mut name = format!("{}-", binaries.version);
        for byte in &key.finalize()[..8] {
            // Writing to a string does not fail.
            let _ = write!(name, "{byte:02x}");
        }
        Some(Cache { entry: folder.join(name), folder })
    }

    /// Makes `data` of the entry. A failure, which says that there is none or that it is damaged, may leave a part.
    pub(crate) fn unpack(&self, data: &Path, account: &Account) -> anyhow::Result<()> {
        let file = File::open(&self.entry)?;
        let found = file.metadata()?;
        let private = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0;
        ensure!(private, "others may have written to it");
        // So that it is seen to be in use; it may be on a disk that can't be written to.
        let _ = file.set_modified(SystemTime::now());
        archive::unpack(&file, data, account)
    }

    /// Makes the entry of `data`, in the place of what may be there.
    pub(crate) fn keep(&self, data: &Path) {
        // The disk may be full, or the folder somebody else's: the next server is as slow as this one then.
        let _ = self.try_keep(data);
    }

    fn try_keep(&self, data: &Path) -> anyhow::Result<()> {
        folder::ensure(&self.folder, Access::Private)?;
        // Whoever has the lock is making an entry, most likely this one.
        let Some(_lock) = folder::lock_if_free(&self.folder.join(LOCK))? else { return Ok(()) };
        // Always of one name, so that a maker who is killed leaves no more than one, until the next. It is not
        // written to disk before it is renamed: what a power cut cuts off is refused when it is read.
        let draft = self.folder.join(DRAFT);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        let kept = archive::pack(data, &file).and_then(|()| Ok(fs::rename(&draft, &self.entry)?));
        if kept.is_err() {
            let _ = fs::remove_file(&draft);
        }
        self.remove_unused();
        kept
    }

    /// The caller holds the lock.
    fn remove_unused(&self) {
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let unused = || file.metadata().ok()?.modified().ok()?.elapsed().ok();
            if file.file_name() != LOCK && unused().is_some_and(|time| time > UNUSED) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}
