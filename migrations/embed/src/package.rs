//! The folder of a cargo package in the version that a repository has locked.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Asks cargo for the folder of a package that the repository at `root` depends on.
///
/// # Errors
/// If cargo can't be asked, or if it has no such package, or more than one version of it.
#[expect(clippy::disallowed_methods, reason = "a build script would build duct first")]
pub fn package(root: &Path, name: &str) -> io::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut complaint = String::new();
    // With everything in place cargo need not look at the network, which may be slow or missing.
    for more in [&["--offline"] as &[&str], &[]] {
        let mut metadata = Command::new(&cargo);
        metadata.args(["metadata", "--format-version", "1"]).args(more).current_dir(root);
        let output = metadata.output()?;
        if output.status.success() {
            return folder(&String::from_utf8_lossy(&output.stdout), name).map_err(io::Error::other);
        }
        complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    }
    Err(io::Error::other(format!("cargo could not list the packages: {complaint}")))
}

/// The folder of a package in what cargo prints: a package begins with its name and version.
fn folder(metadata: &str, name: &str) -> Result<PathBuf, String> {
    const MANIFEST: &str = "\"manifest_path\":\"";
    let mut found: Vec<&str> = Vec::new();
    for rest in metadata.split(&format!("{{\"name\":\"{name}\",\"version\":\"")).skip(1) {
        let path = rest.split_once(MANIFEST).and_then(|(_, path)| path.split_once('"'));
        found.extend(path.map(|(path, _)| path));
    }
    match *found {
        [manifest] => Path::new(manifest).parent().map(Path::to_owned).ok_or_else(|| manifest.to_owned()),
        [] => Err(format!("no package of this repository depends on `{name}`; add it to a Cargo.toml")),
        [..] => Err(format!("the repository has {} versions of `{name}`; let all use one", found.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_found_by_its_exact_name() {
        let package = |name: &str, version: &str| {
            let dependencies = "[{\"name\":\"store\",\"source\":null}]";
            format!(
                "{{\"name\":\"{name}\",\"version\":\"{version}\",\"dependencies\":{dependencies},\"manifest_path\":\"/r/{name}-{version}/Cargo.toml\"}}"
            )
        };
        let all = [package("store", "1.0.0"), package("store-core", "1.0.0"), package("twice", "1.0.0")];
        let all = format!("{{\"packages\":[{},{}]}}", all.join(","), package("twice", "2.0.0"));
        assert_eq!(folder(&all, "store").unwrap(), Path::new("/r/store-1.0.0"));
        assert!(folder(&all, "stor").unwrap_err().contains("no package"));
        assert!(folder(&all, "twice").unwrap_err().contains("2 versions"));
    }
}
