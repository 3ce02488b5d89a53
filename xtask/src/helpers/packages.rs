//! The packages of the workspace, as cargo lists them, so that no list of ours has to be kept up.

use std::{ffi::OsString, path::Path};

use anyhow::{Context, bail};
use duct::cmd;
use serde::Deserialize;

use crate::helpers::built;

/// The packages of a workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Packages {
    packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    targets: Vec<Target>,
    /// `null` if its manifest has none.
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
    test: bool,
    doctest: bool,
}

/// `[package.metadata]` in its manifest.
#[derive(Debug, Deserialize)]
struct Metadata {
    xtask: Option<Marks>,
}

/// `[package.metadata.xtask]` in its manifest.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Marks {
    /// Its dependencies are expensive and few people need it, so cargo builds it only when a command needs it.
    #[serde(default)]
    on_demand: bool,
}

impl Packages {
    /// Asks cargo for the packages of the workspace in this folder.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Packages> {
        let metadata = cmd!(built::cargo(), "metadata", "--no-deps", "--format-version", "1").dir(root);
        // Cargo says on standard error why it could not.
        let output = metadata.stdout_capture().unchecked().run().context("start cargo")?;
        if !output.status.success() {
            bail!("cargo could not list the packages in {}", root.display());
        }
        serde_json::from_slice(&output.stdout).context("read the list of packages from cargo metadata")
    }

    /// The packages that are built on demand.
    pub(crate) fn on_demand(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_on_demand())
    }

    /// Arguments for cargo that select all other packages.
    pub(crate) fn selection(&self) -> Vec<OsString> {
        let excluded = self.on_demand().flat_map(|package| ["--exclude", &package.name]);
        ["--workspace"].into_iter().chain(excluded).map(OsString::from).collect()
    }

    /// The same for `cargo test --doc`, which ignores `doctest = false` in a manifest. `None`: there is nothing to run.
    pub(crate) fn doc_test_selection(&self) -> Option<Vec<OsString>> {
        let others = || self.packages.iter().filter(|package| !package.is_on_demand());
        if !others().flat_map(|package| &package.targets).any(|target| target.doctest) {
            return None;
        }
        let declined = others().filter(|package| package.declines_doc_tests());
        let declined = declined.flat_map(|package| ["--exclude", &package.name]).map(OsString::from);
        Some(self.selection().into_iter().chain(declined).collect())
    }
}

impl Package {
    fn is_on_demand(&self) -> bool {
        self.metadata.as_ref().and_then(|metadata| metadata.xtask.as_ref()).is_some_and(|it| it.on_demand)
    }

    fn declines_doc_tests(&self) -> bool {
        self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "lib") && !target.doctest)
    }

    /// Whether any of its targets may have tests.
    pub(crate) fn has_tests(&self) -> bool {
        self.targets.iter().any(|target| target.test)
    }
}

/// Whether arguments for `cargo test` or `cargo nextest run` say which packages they are for.
pub(crate) fn are_selected(args: &[OsString]) -> bool {
    const LONG: [&str; 5] = ["--package", "--workspace", "--all", "--exclude", "--manifest-path"];
    let words = args.iter().map(|arg| arg.to_string_lossy());
    // What follows a `--` is for the test binaries.
    words.take_while(|word| word != "--").any(|word| {
        let name = word.split('=').next().unwrap_or_default();
        LONG.contains(&name) || (word.starts_with("-p") && !word.starts_with("--"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_built_on_demand_if_its_manifest_says_so() {
        let packages: Packages = serde_json::from_str(
            r#"{ "packages": [
                { "name": "a", "targets": [{ "kind": ["lib"], "test": true, "doctest": true }], "metadata": null },
                { "name": "b", "targets": [{ "kind": ["bin"], "test": false, "doctest": false }], "metadata": { "xtask": { "on-demand": true } } },
                { "name": "c", "targets": [{ "kind": ["lib"], "test": true, "doctest": false }], "metadata": { "docs": { } } }
            ] }"#,
        )
        .unwrap();
        assert_eq!(packages.selection(), ["--workspace", "--exclude", "b"]);
        let selected = packages.doc_test_selection().unwrap();
        assert_eq!(selected, ["--workspace", "--exclude", "b", "--exclude", "c"]);
        let names: Vec<_> = packages.on_demand().map(|it| (it.name.as_str(), it.has_tests())).collect();
        assert_eq!(names, [("b", false)]);
    }

    #[test]
    fn a_misspelt_mark_is_an_error() {
        let text = r#"{ "packages": [{ "name": "b", "targets": [], "metadata": { "xtask": { "on_demand": true } } }] }"#;
        assert!(serde_json::from_str::<Packages>(text).unwrap_err().to_string().contains("on_demand"));
    }

    #[test]
    fn a_selection_of_packages_is_recognised() {
        let selected = |words: &[&str]| are_selected(&words.iter().map(OsString::from).collect::<Vec<_>>());
        for words in
            [&["--package", "a"] as &[&str], &["--package=a"], &["-p", "a"], &["-pa"], &["x", "--workspace"]]
        {
            assert!(selected(words), "{words:?}");
        }
        for words in [&[] as &[&str], &["seeds"], &["--profile", "ci"], &["--", "--package"]] {
            assert!(!selected(words), "{words:?}");
        }
    }
}
