//! The files of a project as text, from a folder or compiled into a program.
//!
//! `reader` decides which names are allowed; here a file is only read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::Error;

/// Name of the manifest in the migrations folder.
pub(crate) const MANIFEST: &str = "apps.toml";

/// Folders beside the apps that are not apps. The migrations folder may be a cargo package, with one inside it that
/// embeds it in programs; `docs` has the pictures of the schema.
pub(crate) const NOT_APPS: &[&str] = &["src", "tests", "examples", "benches", "docs", "embed"];

/// One file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFile {
    /// Path inside the migrations folder, with forward slashes: `billing/0001_initial.up.sql`.
    pub path: String,
    /// Its text; `None` for a folder, and for a file that is not UTF-8.
    pub text: Option<String>,
}

impl SourceFile {
    /// A file with this text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> SourceFile {
        SourceFile { path: path.into(), text: Some(text.into()) }
    }

    /// Reads the manifest and everything in the folders beside it, in the order of their names, unchecked: the input of
    /// `Project::from_files`.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn read_folder(folder: &Path) -> Result<Vec<SourceFile>, Error> {
        let mut files = Vec::new();
        for entry in list(folder)? {
            let name = entry.name;
            if name == MANIFEST {
                files.push(read(&entry.path, name)?);
                continue;
            }
            if entry.kind != Kind::Folder || NOT_APPS.contains(&name.as_str()) {
                continue;
            }
            // The folder itself, so that an app without a single file is found too.
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

/// Reads the manifest of a migrations folder, and nothing else.
pub(crate) fn read_manifest(folder: &Path) -> Result<SourceFile, Error> {
    let path = folder.join(MANIFEST);
    match kind(&path) {
        Ok(_) => read(&path, MANIFEST.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => {
            Ok(SourceFile { path: MANIFEST.to_owned(), text: None })
        }
        Err(source) => Err(Error::Read { path: path.display().to_string(), source }),
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

/// Follows a symbolic link, as sqlx does. Refuses what is neither file nor folder: reading a pipe could wait for ever.
fn kind(path: &Path) -> io::Result<Kind> {
    let metadata = fs::metadata(path)?;
    match (metadata.is_dir(), metadata.is_file()) {
        (true, _) => Ok(Kind::Folder),
        (_, true) => Ok(Kind::File),
        _ => Err(io::Error::other("neither a file nor a folder")),
    }
}

fn list(folder: &Path) -> Result<Vec<Entry>, Error> {
    let failed = |source| Error::Read { path: folder.display().to_string(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let failed = |source| Error::Read { path: entry.path().display().to_string(), source };
        let name = entry.file_name().to_string_lossy().into_owned();
        // An editor's lock is a link to nothing, so a hidden file is not opened; its name alone decides if it may be here.
        let kind = if name.starts_with('.') { Kind::Hidden } else { kind(&entry.path()).map_err(failed)? };
        entries.push(Entry { name, path: entry.path(), kind });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn read(file: &Path, path: String) -> Result<SourceFile, Error> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(SourceFile { path, text: Some(text) }),
        Err(source) if source.kind() == io::ErrorKind::InvalidData => Ok(SourceFile { path, text: None }),
        Err(source) => Err(Error::Read { path: file.display().to_string(), source }),
    }
}
