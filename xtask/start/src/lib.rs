//! Checks without cargo whether a program that cargo built is still up to date.
//!
//! Cargo takes 0.2 s to say that nothing has changed, and prints a line about it unless it is quiet; but a quiet cargo also
//! hides a minute of compiling. So once cargo has built a program, a file beside it keeps the time. Cargo runs again only
//! when a source of the program changes, or in doubt.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Files of a workspace that every package of it is built from.
const COMMON: [&str; 4] = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"];

/// Variables of the environment that change what cargo builds.
const BUILD_VARIABLES: [&str; 3] = ["RUSTUP_TOOLCHAIN", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"];

/// Whether nothing in the workspace at `root` that `program` is built from has changed since [`remember`].
pub fn is_fresh(program: &Path, root: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
    let note = note(program);
    let Some(built) = modified(&note) else { return false };
    let older = |path: &Path| modified(path).is_some_and(|time| time < built);
    let sources = sources(&fs::read_to_string(program.with_extension("d")).unwrap_or_default());
    let manifests = sources.iter().filter_map(|source| manifest(source));
    let common = COMMON.iter().map(|name| root.join(name)).filter(|path| path.exists());
    program.exists()
        && fs::read_to_string(note).is_ok_and(|before| before == surroundings())
        && !sources.is_empty()
        // Else another checkout, which shares its target folder with this one, built it.
        && sources.iter().all(|source| source.starts_with(root) && older(source))
        && manifests.chain(common).all(|path| older(&path))
}

/// Keeps the time at which cargo began to build `program`. A file that is saved while cargo builds is newer than that,
/// and may not be in the program.
pub fn remember(program: &Path, began: SystemTime) {
    // Without the note cargo merely runs again.
    let _ = fs::write(note(program), surroundings())
        .and_then(|()| File::options().append(true).open(note(program)))
        .and_then(|file| file.set_modified(began));
}

/// The variables that cargo sets for a program that it runs, about the package of that program.
///
/// A cargo that inherits them, and one in a terminal, which does not, would each build again what the other has built: a
/// build script may depend on any variable, and the one of the crate `ring` depends on some of these.
pub fn package_variables() -> impl Iterator<Item = OsString> {
    let names = env::vars_os().map(|(name, _)| name);
    names.filter(|name| {
        ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
    })
}

/// The variables that change what cargo builds, as one text.
fn surroundings() -> String {
    let values = BUILD_VARIABLES.map(|name| env::var_os(name).unwrap_or_default());
    BUILD_VARIABLES.iter().zip(values).map(|(name, value)| format!("{name}={}\n", value.display())).collect()
}

fn note(program: &Path) -> PathBuf {
    program.with_extension("checked")
}

/// The sources in cargo's own list, which is written for `make`: the program, a colon, and each source after a blank;
/// a blank within a path has a backslash before it.
fn sources(list: &str) -> Vec<PathBuf> {
    let line = list.lines().next().unwrap_or_default().replace("\\ ", "\0");
    line.split(' ').skip(1).map(|path| PathBuf::from(path.replace('\0', " "))).collect()
}

/// The manifest of the package that a source belongs to.
fn manifest(source: &Path) -> Option<PathBuf> {
    source.ancestors().skip(1).map(|folder| folder.join("Cargo.toml")).find(|manifest| manifest.is_file())
}

#[cfg(test)]
mod tests {
    use std::{process, time::Duration};

    use super::*;

    /// A workspace whose program was built a minute after its sources were written.
    fn workspace(name: &str) -> (PathBuf, PathBuf) {
        let root = env::temp_dir().join(format!("xtask start {name} {}", process::id()));
        let program = root.join("target/program");
        for folder in ["target", "program/src"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let source = root.join("program/src/main.rs");
        for file in
            ["Cargo.toml", "Cargo.lock", "program/Cargo.toml", "program/src/main.rs", "target/program"]
        {
            File::create(root.join(file)).unwrap();
        }
        let list = [&program, &source].map(|path| path.display().to_string().replace(' ', "\\ "));
        fs::write(program.with_extension("d"), format!("{}: {}\n", list[0], list[1])).unwrap();
        remember(&program, SystemTime::now() + Duration::from_secs(60));
        (root, program)
    }

    fn save(path: &Path) {
        let file = File::create(path).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(120)).unwrap();
    }

    #[test]
    fn a_program_is_fresh_until_something_that_it_is_built_from_changes() {
        for changed in ["Cargo.toml", "Cargo.lock", "program/Cargo.toml", "program/src/main.rs"] {
            let (root, program) = workspace("changed");
            assert!(is_fresh(&program, &root));
            save(&root.join(changed));
            assert!(!is_fresh(&program, &root), "{changed}");
            fs::remove_dir_all(root).unwrap();
        }
    }

    #[test]
    fn a_program_is_not_fresh_if_anything_of_it_is_missing_or_another_checkouts() {
        for missing in ["target/program", "target/program.d", "target/program.checked", "program/src/main.rs"]
        {
            let (root, program) = workspace("missing");
            fs::remove_file(root.join(missing)).unwrap();
            assert!(!is_fresh(&program, &root), "{missing}");
            fs::remove_dir_all(root).unwrap();
        }
        let (root, program) = workspace("shared");
        assert!(!is_fresh(&program, Path::new("/another/checkout")));
        fs::remove_dir_all(root).unwrap();
    }
}
