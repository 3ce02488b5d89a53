//! A folder that is written beside its place, and gets its name when it is complete.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{
    rows::dump::{self, Dump},
    terminal::exit::Stop,
};

/// A folder under way. Dropped before it is complete, it is removed; what a killed process left, the next one removes.
#[derive(Debug)]
pub(crate) struct Draft {
    folder: PathBuf,
    target: PathBuf,
    force: bool,
    /// Locked for as long as its writer lives, which is how another one knows.
    _writer: File,
}

impl Draft {
    /// Begins one that will be called `target`, unless that would cost somebody something.
    pub(crate) fn new(target: &Path, force: bool) -> anyhow::Result<Draft> {
        // Of a link, what it leads to.
        let target = target.canonicalize().unwrap_or(dump::absolute(target)?);
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            bail!("{} can't be a folder of ours; name another one", target.display());
        };
        may_replace(&target, force)?;
        fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
        let mut prefix = OsString::from(".");
        prefix.push(name);
        prefix.push(".draft-");
        sweep(parent, &prefix);
        loop {
            let mut name = prefix.clone();
            name.push(format!("{:016x}", rand::random::<u64>()));
            let folder = parent.join(name);
            let made = DirBuilder::new().mode(0o700).create(&folder);
            made.with_context(|| format!("make {}", folder.display()))?;
            let writer = File::open(&folder).with_context(|| format!("open {}", folder.display()))?;
            // Another one may have swept it before it was locked.
            if writer.try_lock().is_ok() && folder.exists() {
                return Ok(Draft { folder, target, force, _writer: writer });
            }
        }
    }

    /// Makes a file in it that its owner alone can read.
    pub(crate) fn file(&self, name: &str) -> anyhow::Result<DraftFile> {
        let path = self.folder.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("make {}", path.display()))?;
        Ok(DraftFile { writer: io::BufWriter::new(file), path })
    }

    /// Gives it its name. What had that name is gone then; the two change places at once where the file system can.
    pub(crate) fn complete(self) -> anyhow::Result<PathBuf> {
        // Somebody else may have been quicker.
        may_replace(&self.target, self.force)?;
        let named = match renameat_with(CWD, &self.folder, CWD, &self.target, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            // Nothing is there to change places with, or the file system can't.
            Err(_) => self.rename(),
        };
        named.with_context(|| format!("give the dump its name, {}", self.target.display()))?;
        // Dropping removes what has our old name now.
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

/// A file of a draft.
pub(crate) struct DraftFile {
    writer: io::BufWriter<File>,
    path: PathBuf,
}

impl DraftFile {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.writer.write_all(bytes).with_context(|| format!("write {}", self.path.display()))
    }

    /// Makes sure that it is on the disk.
    pub(crate) fn close(mut self) -> anyhow::Result<()> {
        let flushed = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        flushed.with_context(|| format!("write {}", self.path.display()))
    }
}

/// Refuses a place that holds something, other than a dump of ours that is to be replaced.
fn may_replace(target: &Path, force: bool) -> anyhow::Result<()> {
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
    // Not where somebody put something of his own beside it, hidden or not: all of the folder goes.
    let ours = Dump::read(target).is_ok_and(|dump| {
        let files: Vec<&str> =
            dump.tables.iter().map(|table| table.file.as_str()).chain([dump::FILE]).collect();
        names.iter().all(|name| files.iter().any(|file| name == file))
    });
    match (ours, force) {
        (true, true) => Ok(()),
        (true, false) => Err(Stop::Refused(format!(
            "{shown} holds a dump already; nothing was written\n  to replace it: --force"
        ))
        .into()),
        (false, _) => bail!(
            "{shown} is not empty, and what it holds is no dump; nothing was written\n  name another folder"
        ),
    }
}

/// Removes the drafts of those who are gone.
fn sweep(parent: &Path, prefix: &OsString) {
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
