//! Puts a migrations folder inside a program, so that a deploy needs no source tree.
//!
//! The whole build script of a program:
//!
//! ```no_run
//! fn main() -> std::io::Result<()> {
//!     migrations_embed::embed("../migrations")
//! }
//! ```
//!
//! The program itself then gets the project with `migrations::embedded!()?`. This crate only copies files; `migrations`
//! checks them when it loads the project.

mod package;

use std::{
    env,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

pub use package::package;

/// The manifest, in the folder itself.
const MANIFEST: &str = "apps.toml";
/// The settings of sqlx, which may name an app's ledger.
const SETTINGS: &str = "sqlx.toml";

/// Writes the manifest, the texts of schemas beside it and the SQL of every app to where `migrations::embedded!` includes
/// them from, and makes cargo build the program again when a file in the folder changes, appears or goes.
///
/// For a build script. A relative folder starts at the package's own.
///
/// # Errors
/// If a file can't be read or the result can't be written; the error names the path.
pub fn embed(folder: impl AsRef<Path>) -> io::Result<()> {
    let folder = folder.as_ref();
    announce(folder);
    for app in apps(folder)? {
        announce(&app.place(folder)?);
    }
    let out = env::var_os("OUT_DIR")
        .ok_or_else(|| io::Error::other("OUT_DIR is not set: this is for build scripts"))?;
    let path = PathBuf::from(out).join("migrations.rs");
    fs::write(&path, source(folder)?).map_err(at(&path))
}

#[expect(clippy::print_stdout, reason = "cargo reads the standard output of a build script")]
fn announce(folder: &Path) {
    // Cargo looks at every file below a folder.
    println!("cargo::rerun-if-changed={}", folder.display());
}

/// The expression to include: pairs of a file's path in the folder and its text, as the compiler reads it.
fn source(folder: &Path) -> io::Result<String> {
    let folder = folder.canonicalize().map_err(at(folder))?;
    // Each file with its name in the project.
    let mut files = vec![(MANIFEST.to_owned(), folder.join(MANIFEST))];
    let texts = names(&folder)?.into_iter().filter(|name| is_schema_text(name));
    files.extend(texts.map(|name| (name.clone(), folder.join(name))));
    for app in apps(&folder)? {
        let path = app.place(&folder)?;
        let app = app.name;
        let path = path.canonicalize().map_err(at(&path))?;
        let names = names(&path)?.into_iter();
        // What the tables should be is for those who write migrations.
        let names =
            names.filter(|name| !name.starts_with('.') && name.ends_with(".sql") && name != "schema.sql");
        files.extend(names.map(|name| (format!("{app}/{name}"), path.join(name))));
        files.extend(settings(&path).map(|settings| (format!("{app}/{SETTINGS}"), settings)));
    }
    let mut text = String::from("&[\n");
    for (path, file) in files {
        // Here and not only by the compiler, so that a missing manifest is an error of the build script.
        fs::metadata(&file).map_err(at(&file))?;
        // Writing to a string does not fail.
        let _ = writeln!(text, "    ({path:?}, include_str!({:?})),", file.display().to_string());
    }
    text.push_str("]\n");
    Ok(text)
}

/// Whether a file beside the manifest holds the schema of one of its databases as text.
fn is_schema_text(name: &str) -> bool {
    name == "schema.txt" || name.starts_with("schema.") && name.ends_with(".txt")
}

/// The `sqlx.toml` in an app's folder, or else in the folder of its cargo package.
pub fn settings(folder: &Path) -> Option<PathBuf> {
    let package = folder.ancestors().skip(1).find(|above| above.join("Cargo.toml").is_file());
    [Some(folder), package]
        .into_iter()
        .flatten()
        .map(|folder| folder.join(SETTINGS))
        .find(|file| file.is_file())
}

/// An app of the manifest.
#[derive(Default)]
struct App {
    name: String,
    /// The cargo package that its folder is in.
    package: String,
    /// Its folder, seen from the package's or the manifest's.
    folder: String,
}

impl App {
    fn place(&self, manifest: &Path) -> io::Result<PathBuf> {
        if self.package.is_empty() {
            return Ok(manifest.join(&self.folder));
        }
        Ok(package(manifest, &self.package)?.join(&self.folder))
    }
}

/// The apps of the manifest. Only these lines are read; `migrations` reads the rest of it.
fn apps(folder: &Path) -> io::Result<Vec<App>> {
    let manifest = folder.join(MANIFEST);
    let text = fs::read_to_string(&manifest).map_err(at(&manifest))?;
    let (mut apps, mut in_app): (Vec<App>, bool) = (Vec::new(), false);
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            in_app = line.split('#').next().unwrap_or_default().trim() == "[[app]]";
            if in_app {
                apps.push(App::default());
            }
        }
        let Some((key, value)) = line.split_once('=').filter(|_| in_app) else { continue };
        let (key, Some(app)) = (key.trim(), apps.last_mut()) else { continue };
        if !["name", "path", "crate"].contains(&key) {
            continue;
        }
        let value = value.trim().strip_prefix('"').and_then(|value| value.split_once('"'));
        let Some((value, _)) = value.filter(|(value, _)| !value.contains('\\')) else {
            let what = format!("{}:{}: write it as {key} = \"…\"", manifest.display(), index + 1);
            return Err(io::Error::other(what));
        };
        match key {
            "name" => value.clone_into(&mut app.name),
            "crate" => value.clone_into(&mut app.package),
            _ => value.clone_into(&mut app.folder),
        }
    }
    for app in apps.iter_mut().filter(|app| app.folder.is_empty()) {
        app.folder = if app.package.is_empty() { app.name.clone() } else { "migrations".to_owned() };
    }
    Ok(apps)
}

/// The names in a folder, in order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<io::Result<Vec<String>>>().map_err(at(folder))?;
    names.sort();
    Ok(names)
}

/// Adds the path to an error.
fn at(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    let path = path.display().to_string();
    move |error| io::Error::new(error.kind(), format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_files_of_a_project_are_embedded() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let manifest = "[[app]]\nname = \"billing\"\n[[app]] # ours\ntables = []\nname=\"jobs\"\npath = \"../jobs/sql\"\n";
        write("migrations/apps.toml", manifest);
        let inside = ["billing/0001_initial.up.sql", "billing/seed.sql", "billing/sqlx.toml"];
        let outside =
            ["README.md", "billing/.0001_x.up.sql.swp", "billing/notes.md", "docs/x.sql", "src/lib.rs"];
        let beside = ["schema.jobs.txt", "schema.txt"];
        for path in inside.iter().chain(&outside).chain(&beside) {
            write(&format!("migrations/{path}"), "");
        }
        for path in ["sql/1_x.sql", "sql/schema.sql", "Cargo.toml", "sqlx.toml"] {
            write(&format!("jobs/{path}"), "");
        }
        let text = source(&folder.path().join("migrations")).unwrap();
        let paths: Vec<&str> = text.lines().filter_map(|line| line.split('"').nth(1)).collect();
        let all =
            ["apps.toml"].into_iter().chain(beside).chain(inside).chain(["jobs/1_x.sql", "jobs/sqlx.toml"]);
        assert_eq!(paths, all.collect::<Vec<_>>());
    }

    #[test]
    fn a_line_of_the_manifest_that_is_not_plain_is_an_error_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MANIFEST), "[[app]]\nname = 'billing'\n").unwrap();
        let error = source(folder.path()).unwrap_err().to_string();
        assert!(error.contains("apps.toml:2: write it as name = "), "{error}");
    }

    #[test]
    fn a_folder_without_a_manifest_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = source(folder.path()).unwrap_err().to_string();
        assert!(error.contains("apps.toml: No such file"), "{error}");
    }
}
