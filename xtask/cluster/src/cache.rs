//! The data directory that test servers start from: `initdb` creates it once, and each server gets a copy.
//!
//! An entry is a single file, renamed into place when complete, so that reading it takes no lock. It contains no password,
//! and its `pg_hba.conf` rejects every connection; the server that gets a copy sets both. All copies have the same system
//! identifier, which matters for replication only.
//!
//! If the cache can't be used, the test server runs `initdb` itself, which takes half a second more. That is not worth an
//! error.

use std::{
    env,
    fs::{self, File, OpenOptions},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::SystemTime,
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

/// The version of the file's format, and of what the data directory contains beyond the options of `initdb`.
const FORMAT: u32 = 1;
/// The entry that is being written.
const DRAFT: &str = "draft";
/// `initdb` writes the name of this time zone into the settings.
const LOCAL_TIME: &str = "/etc/localtime";

/// The place of a data directory in the cache.
pub(crate) struct Cache {
    folder: PathBuf,
    entry: PathBuf,
}

impl Cache {
    /// The place for what these programs create with these options. Touches nothing. `None` if this user has no home.
    pub(crate) fn for_options(binaries: &Binaries, options: &[String]) -> Option<Cache> {
        let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("xtask/clusters");
        let zone = (env::var("TZ").ok(), fs::canonicalize(LOCAL_TIME).ok());
        let machine = (env::consts::ARCH, env::consts::OS);
        let mut key = Sha256::new();
        key.update(json!([FORMAT, machine, zone]).to_string());
        // This includes their version, path and time of modification.
        key.update(serde_json::to_string(binaries).ok()?);
        key.update(serde_json::to_string(options).ok()?);
        key.update(fs::read(LOCAL_TIME).unwrap_or_default());
        let name = format!("{}-{}", binaries.version, hex::encode(&key.finalize()[..8]));
        Some(Cache { entry: folder.join(name), folder })
    }

    /// Unpacks the entry to `data`. Fails if there is none or it is damaged, and may then leave a part of it.
    pub(crate) fn unpack(&self, data: &Path, account: &Account) -> anyhow::Result<()> {
        let file = File::open(&self.entry)?;
        let found = file.metadata()?;
        let private = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0;
        ensure!(private, "other users may have written to it");
        // Shows that the entry is in use. The disk may be read-only, which does no harm.
        let _ = file.set_modified(SystemTime::now());
        archive::unpack(&file, data, account)
    }

    /// Packs `data` into the entry, in place of an older one.
    pub(crate) fn store(&self, data: &Path) {
        // The disk may be full, or the folder belong to another user. Then the next server is as slow as this one.
        let _ = self.try_store(data);
    }

    fn try_store(&self, data: &Path) -> anyhow::Result<()> {
        folder::ensure(&self.folder, Access::Private)?;
        // The holder of the lock is writing an entry, most likely this one.
        let Some(_lock) = folder::lock_if_free(&self.folder.join(folder::LOCK))? else { return Ok(()) };
        // A fixed name, so that killed commands leave at most one draft. It is not synced before the rename: after a
        // power cut, reading the entry fails if it is incomplete.
        let draft = self.folder.join(DRAFT);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        let stored = archive::pack(data, &file).and_then(|()| Ok(fs::rename(&draft, &self.entry)?));
        if stored.is_err() {
            let _ = fs::remove_file(&draft);
        }
        // An entry takes 23 MB. The programs of one that is not used are probably gone.
        folder::remove_unused(&self.folder);
        stored
    }
}
