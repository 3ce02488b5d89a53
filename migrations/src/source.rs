//! The files of a project as text, from a folder or compiled into a program.
//!
//! `reader` decides which names are allowed; here a file is only read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    Error, FileName,
    app_files::SCHEMA,
    manifest::{self, Location},
    sqlx_toml,
};

/// Name of the manifest in the migrations folder.
pub(crate) const MANIFEST: &str = "apps.toml";

/// One file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFile {
    /// The name of the app and of the file, wherever the app's folder is: `billing/0001_initial.up.sql`. Or the name of a
    /// file beside the manifest, or the manifest's.
    pub path: String,
    /// Its text; `None` for a folder, and for a file that is not UTF-8.
    pub text: Option<String>,
}

impl SourceFile {
    /// A file with this text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> SourceFile {
        SourceFile { path: path.into(), text: Some(text.into()) }
    }

    /// The apps of a manifest's folder, each with its own folder, whether or not that is there.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn folders(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
        Ok(read_apps(folder)?.1)
    }

    /// Reads the manifest and everything in the folders of its apps, in the order of their names, unchecked: the input of
    /// `Project::from_files`. A folder beside the manifest is an app's too if it has migrations.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn read_folder(folder: &Path) -> Result<Vec<SourceFile>, Error> {
        let (manifest, apps) = read_apps(folder)?;
        let mut files = vec![manifest];
        for (app, folder) in &apps {
            if folder.is_dir() {
                files.extend(read_app(app, folder)?);
                let settings = format!("{app}/{}", sqlx_toml::FILE);
                let of_crate = migrations_embed::settings(folder);
                if let Some(of_crate) = of_crate.filter(|_| !files.iter().any(|file| file.path == settings)) {
                    files.push(read(&of_crate, settings)?);
                }
            }
        }
        let of_app = |other: &Path| apps.iter().any(|(_, folder)| same_place(folder, other));
        for Entry { name, path, kind } in list(folder)? {
            if kind == Kind::Folder && !of_app(&path) && list(&path)?.iter().any(Entry::is_of_app) {
                files.push(SourceFile { path: format!("{name}/"), text: None });
            }
        }
        files.retain(|file| file.path != MANIFEST || file.text.is_some());
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

/// The manifest of a folder, and its apps, each with its folder.
fn read_apps(folder: &Path) -> Result<(SourceFile, Vec<(String, PathBuf)>), Error> {
    let manifest = read_manifest(folder)?;
    let folder = with_name(folder);
    let above = folder.parent().unwrap_or(&folder);
    let path = format!("{}/{MANIFEST}", shown(&folder));
    let mut apps = Vec::new();
    for Location { app, package, folder } in
        manifest::locations(&path, manifest.text.as_deref().unwrap_or_default())
    {
        let failed = |package: &str| {
            let path = format!("the migrations of package `{package}`");
            move |source| Error::Read { path, source }
        };
        let start = match &package {
            Some(package) => migrations_embed::package(above, package).map_err(failed(package))?,
            None => above.to_owned(),
        };
        apps.push((app, start.join(folder)));
    }
    Ok((manifest, apps))
}

/// The files of an app's folder.
fn read_app(app: &str, folder: &Path) -> Result<Vec<SourceFile>, Error> {
    // The folder itself, so that an app without a single file is found too.
    let mut files = vec![SourceFile { path: format!("{app}/"), text: None }];
    for Entry { name, path: file, kind } in list(folder)? {
        let path = format!("{app}/{name}");
        files.push(match kind {
            Kind::Folder => SourceFile { path: format!("{path}/"), text: None },
            Kind::Hidden => SourceFile { path, text: None },
            Kind::File => read(&file, path)?,
        });
    }
    Ok(files)
}

fn same_place(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// The same folder by a path that has its name; `.` has none.
fn with_name(folder: &Path) -> PathBuf {
    let real = if folder.file_name().is_none() { folder.canonicalize().ok() } else { None };
    real.unwrap_or_else(|| folder.to_owned())
}

/// A folder's name in messages.
pub(crate) fn shown(folder: &Path) -> String {
    let folder = with_name(folder);
    let name = folder.file_name();
    name.map_or_else(|| "migrations".into(), |name| name.to_string_lossy().into_owned())
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

impl Entry {
    /// Whether only an app's folder has such a file.
    fn is_of_app(&self) -> bool {
        let is_ours = [sqlx_toml::FILE, SCHEMA].contains(&self.name.as_str());
        self.kind == Kind::File && (is_ours || FileName::parse(&self.name).is_some())
    }
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
