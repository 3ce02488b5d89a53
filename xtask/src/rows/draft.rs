//! Writes a folder under a temporary name beside its place, and renames it when it is complete.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{rows::dump, terminal::exit::Stop};

/// What to do if the target already holds a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExistingDump {
    Refuse,
    Replace,
}

/// A folder that is being written. If it is dropped before it is complete, it is removed. If the process is killed, the next
/// draft of the same target removes it.
#[derive(Debug)]
pub(crate) struct Draft {
    folder: PathBuf,
    target: PathBuf,
    existing: ExistingDump,
    /// Holds a lock on the folder as long as this process lives, so that other processes don't remove it.
    _writer: File,
}

impl Draft {
    /// Starts a folder that will be renamed to `target`. Fails if `target` holds anything but a dump that may be replaced.
    pub(crate) fn new(target: &Path, existing: ExistingDump) -> anyhow::Result<Draft> {
        // If it is a link, we replace what it points to.
        let target = target.canonicalize().unwrap_or(dump::absolute(target)?);
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            bail!("{} can't be replaced by a dump; name another folder", target.display());
        };
        check_replaceable(&target, existing)?;
        fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
        let mut prefix = OsString::from(".");
        prefix.push(name);
        prefix.push(".draft-");
        remove_abandoned(parent, &prefix);
        loop {
            let mut name = prefix.clone();
            name.push(format!("{:016x}", rand::random::<u64>()));
            let folder = parent.join(name);
            let created = DirBuilder::new().mode(0o700).create(&folder);
            created.with_context(|| format!("create {}", folder.display()))?;
            let writer = File::open(&folder).with_context(|| format!("open {}", folder.display()))?;
            // Another process may have removed it before we locked it.
            if writer.try_lock().is_ok() && folder.exists() {
                return Ok(Draft { folder, target, existing, _writer: writer });
            }
        }
    }

    /// Creates a file in the folder that only its owner can read.
    pub(crate) fn create_file(&self, name: &str) -> anyhow::Result<DraftFile> {
        let path = self.folder.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("create {}", path.display()))?;
        Ok(DraftFile { writer: io::BufWriter::new(file), path })
    }

    /// Renames the folder to its target and removes what was there. On file systems that can, the two are exchanged in one
    /// step, so that the target is never missing.
    pub(crate) fn complete(self) -> anyhow::Result<PathBuf> {
        // Another process may have put something there since we started.
        check_replaceable(&self.target, self.existing)?;
        let renamed = match renameat_with(CWD, &self.folder, CWD, &self.target, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            // There is nothing to exchange it with, or the file system can't exchange.
            Err(_) => self.rename(),
        };
        renamed.with_context(|| format!("rename the dump to {}", self.target.display()))?;
        // After an exchange, the old dump has our temporary name, and `drop` removes it.
        Ok(self.target.clone())
    }

    fn rename(&self) -> io::Result<()> {
        match fs::rename(&self.folder, &self.target) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                fs::remove_dir_all(&self.target)?;
                fs::rename(&self.folder, &self.target)
            }
            done => done,
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A file in a draft.
pub(crate) struct DraftFile {
    writer: io::BufWriter<File>,
    path: PathBuf,
}

impl DraftFile {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.writer.write_all(bytes).with_context(|| format!("write {}", self.path.display()))
    }

    /// Waits until the file is on the disk.
    pub(crate) fn close(mut self) -> anyhow::Result<()> {
        let flushed = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        flushed.with_context(|| format!("write {}", self.path.display()))
    }
}

/// Fails if `target` holds anything but a dump that may be replaced. A missing or empty folder is fine.
fn check_replaceable(target: &Path, existing: ExistingDump) -> anyhow::Result<()> {
    let shown = target.display();
    let names =
        fs::read_dir(target).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    let names: Vec<OsString> = match names {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => bail!("{shown} can't take a dump: {error}\n  name another folder"),
    };
    if names.is_empty() {
        return Ok(());
    }
    // We replace the whole folder, so every file in it, even a hidden one, must belong to the dump.
    let is_dump = dump::listed_files(target).is_some_and(|files| {
        names.iter().all(|name| name == dump::FILE || files.iter().any(|file| name == &**file))
    });
    match (is_dump, existing) {
        (true, ExistingDump::Replace) => Ok(()),
        (true, ExistingDump::Refuse) => Err(Stop::Refused(format!(
            "{shown} holds a dump already; nothing was written\n  to replace it: --force"
        ))
        .into()),
        (false, _) => {
            bail!("{shown} is not empty and is not a dump; nothing was written\n  name another folder")
        }
    }
}

/// Removes drafts of the same target whose processes have ended.
fn remove_abandoned(parent: &Path, prefix: &OsString) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes())
            && File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok())
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
