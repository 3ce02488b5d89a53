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

use std::{
    env,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

/// The manifest, in the folder itself.
const MANIFEST: &str = "apps.toml";
/// The file that makes a folder beside the manifest an app.
const APP: &str = "sqlx.toml";

/// Writes the manifest and the SQL of every app to where `migrations::embedded!` includes them from, and makes cargo build
/// the program again when a file in the folder changes, appears or goes.
///
/// For a build script. A relative folder starts at the package's own.
///
/// # Errors
/// If a file can't be read or the result can't be written; the error names the path.
pub fn embed(folder: impl AsRef<Path>) -> io::Result<()> {
    let folder = folder.as_ref();
    announce(folder);
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
    let mut paths = vec![MANIFEST.to_owned()];
    for app in names(&folder)? {
        if !folder.join(&app).join(APP).is_file() {
            continue;
        }
        let files = names(&folder.join(&app))?.into_iter();
        let files = files.filter(|name| !name.starts_with('.') && (name.ends_with(".sql") || name == APP));
        // What the tables should be is for those who write migrations.
        let files = files.filter(|name| name != "schema.sql");
        paths.extend(files.map(|name| format!("{app}/{name}")));
    }
    let mut text = String::from("&[\n");
    for path in paths {
        let file = folder.join(&path);
        // Here and not only by the compiler, so that a missing manifest is an error of the build script.
        fs::metadata(&file).map_err(at(&file))?;
        // Writing to a string does not fail.
        let _ = writeln!(text, "    ({path:?}, include_str!({:?})),", file.display().to_string());
    }
    text.push_str("]\n");
    Ok(text)
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
        let write = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        let inside = ["apps.toml", "billing/0001_initial.up.sql", "billing/seed.sql", "billing/sqlx.toml"];
        let outside =
            ["README.md", "billing/.0001_initial.up.sql.swp", "billing/notes.md", "docs/x.sql", "src/lib.rs"];
        for path in inside.iter().chain(&outside) {
            write(path);
        }
        let text = source(folder.path()).unwrap();
        let paths: Vec<&str> = text.lines().filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(paths, inside);
    }

    #[test]
    fn a_folder_without_a_manifest_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = source(folder.path()).unwrap_err().to_string();
        assert!(error.contains("apps.toml: No such file"), "{error}");
    }
}
