//! Which checkout a test belongs to, and what its environment names.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::Error;

/// Names the socket of a service.
pub const SERVICE: &str = "XTASK_TEST_SERVICE";
/// Names a test server.
pub const SERVER: &str = "XTASK_TEST_URL";
/// Names the root of the checkout.
const ROOT: &str = "XTASK_ROOT";
/// Where the manifest of a checkout may be: in the first of these places that has one.
const MANIFESTS: [&str; 2] = ["migrations/apps.toml", "xtask/apps.toml"];

/// The manifest of the checkout at `root`, by its path from there.
pub fn manifest(root: &Path) -> Option<&'static str> {
    MANIFESTS.into_iter().find(|manifest| root.join(manifest).is_file())
}

/// The folder of the manifest of the checkout at `root`, or the usual one if there is no manifest.
pub fn manifest_folder(root: &Path) -> PathBuf {
    let mut folder = root.join(manifest(root).unwrap_or(MANIFESTS[0]));
    folder.pop();
    folder
}

/// A variable of the environment; `None` if it is empty or not Unicode.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The root of the checkout: `XTASK_ROOT`, or else the folder with `migrations/apps.toml` or `xtask/apps.toml` that the test's package is in.
///
/// # Errors
/// If there is no such folder.
pub fn checkout() -> Result<PathBuf, Error> {
    if let Some(root) = variable(ROOT) {
        // Absolute, since a program that is started in it gets the variable too.
        return fs::canonicalize(&root)
            .map_err(|error| Error::new(format!("find the checkout {root}: {error}")));
    }
    // Cargo sets the first; a test program that is run by hand has the second, and from elsewhere only the last.
    let package = variable("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let starts = [package, env::current_dir().ok(), Some(env!("CARGO_MANIFEST_DIR").into())];
    let found = starts.iter().flatten().find_map(|start| root_above(start));
    found.map(Path::to_owned).ok_or_else(|| {
        Error::new(format!(
            "no folder above this test has {}, so it is in no checkout\n  set {ROOT} to the root of one",
            MANIFESTS.join(" or ")
        ))
    })
}

fn root_above(start: &Path) -> Option<&Path> {
    start.ancestors().find(|folder| manifest(folder).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_nearest_folder_above_that_has_the_manifest() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        assert_eq!(root_above(&workspace.join("tests/client/src")), Some(workspace));
        assert_eq!(root_above(workspace), Some(workspace));
        assert_eq!(root_above(Path::new("/")), None);
    }
}
