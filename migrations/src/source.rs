//! The files of a project as text, from a folder or compiled into a program.
//!
//! Which names are allowed is decided in `reader`; here a file is only read.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use crate::Error;

/// Folders beside the apps that are none: cargo's own, since this is a package too, and the pictures of the schema.
pub(crate) const NOT_APPS: &[&str] = &["src", "tests", "examples", "benches", "docs"];

/// One file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path inside the migrations folder, with forward slashes: `billing/0001_initial.up.sql`.
    pub path: String,
    /// What stands in it; `None` where it is a folder, or not UTF-8.
    pub text: Option<String>,
}

impl SourceFile {
    /// Reads the manifest and everything in the folders beside it, in the order of their names: what
    /// [`Project::from_files`](crate::Project::from_files) takes, before anything is refused.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn read_folder(folder: &Path) -> Result<Vec<SourceFile>, Error> {
        let mut files = Vec::new();
        for entry in list(folder)? {
            let name = entry.name;
            if name == crate::manifest::FILE {
                files.push(read(&entry.path, name)?);
                continue;
            }
            if entry.kind != Kind::Folder || NOT_APPS.contains(&name.as_str()) {
                continue;
            }
            // The folder itself, so that an app without a single file is seen too.
            files.push(SourceFile { path: format!("{name}/"), text: None });
            for inner in list(&folder.join(&name))? {
                let path = format!("{name}/{}", inner.name);
                files.push(match inner.kind {
                    Kind::Folder => SourceFile { path: format!("{path}/"), text: None },
                    Kind::Hidden => SourceFile { path, text: None },
                    Kind::File => read(&inner.path, path)?,
                });
            }
        }
        Ok(files)
    }
}

/// A place that an editor can open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Path as the user types it: `migrations/billing/0001_initial.up.sql`.
    pub path: String,
    /// Line, from 1; `None` where the whole file is meant.
    pub line: Option<usize>,
}

impl Place {
    pub(crate) fn file(path: impl Into<String>) -> Self {
        Place { path: path.into(), line: None }
    }

    pub(crate) fn line(path: impl Into<String>, line: usize) -> Self {
        Place { path: path.into(), line: Some(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        Ok(())
    }
}

struct Entry {
    name: String,
    path: PathBuf,
    kind: Kind,
}

#[derive(PartialEq)]
enum Kind {
    Folder,
    File,
    Hidden,
}

/// Follows a symbolic link, as sqlx does. What is neither file nor folder could keep its reader waiting for ever.
fn kind(path: &Path) -> io::Result<Kind> {
    let metadata = fs::metadata(path)?;
    match (metadata.is_dir(), metadata.is_file()) {
        (true, _) => Ok(Kind::Folder),
        (_, true) => Ok(Kind::File),
        _ => Err(io::Error::other("neither a file nor a folder")),
    }
}

fn list(folder: &Path) -> Result<Vec<Entry>, Error> {
    let failed = |error| Error::Read { path: folder.display().to_string(), error };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let failed = |error| Error::Read { path: entry.path().display().to_string(), error };
        let name = entry.file_name().to_string_lossy().into_owned();
        // An editor's lock is a link to nothing; whether its name may be here is decided without looking into it.
        let kind = if name.starts_with('.') { Kind::Hidden } else { kind(&entry.path()).map_err(failed)? };
        entries.push(Entry { name, path: entry.path(), kind });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn read(file: &Path, path: String) -> Result<SourceFile, Error> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(SourceFile { path, text: Some(text) }),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(SourceFile { path, text: None }),
        Err(error) => Err(Error::Read { path: file.display().to_string(), error }),
    }
}
