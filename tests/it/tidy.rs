//! Invariants of the code base itself, as ARCHITECTURE.md states them. None needs a server.

mod dependencies;
mod suite;

use std::{fs, path::PathBuf};

use migrations::App;
use tests::workspace_root;

use crate::{checkout::cargo, product};

/// The path and the text of every file below a folder of the workspace that has one of these endings.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let root = workspace_root();
    let (mut open, mut found): (Vec<PathBuf>, Vec<_>) = (vec![root.join(folder)], Vec::new());
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            let shown = path.strip_prefix(&root).unwrap().display().to_string();
            found.push((shown, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn every_rust_file_says_what_it_is() {
    for folder in ["migrations", "backend", "tests", "xtask"] {
        for (path, text) in files(folder, &[".rs"]) {
            assert!(text.starts_with("//!"), "{path} has no `//!` at its top");
        }
    }
}

#[test]
fn no_file_has_a_note_of_open_work() {
    let words = ["TODO", "FIXME", "XXX"];
    for (path, text) in files("", &[".rs", ".sql", ".toml", ".md"]) {
        for word in words.iter().filter(|_| path != "tests/it/tidy.rs") {
            assert!(!text.contains(word), "{path} has a {word}");
        }
    }
}

/// What `cargo metadata` reports of the workspace.
fn metadata() -> serde_json::Value {
    let metadata = cargo(["metadata", "--offline", "--no-deps", "--format-version", "1"]);
    let metadata = metadata.dir(workspace_root()).stderr_null().read().unwrap();
    serde_json::from_str(&metadata).unwrap()
}

/// The folders of the workspace's packages, below its root.
pub(crate) fn folders() -> Vec<String> {
    let (metadata, root) = (metadata(), workspace_root());
    let manifests = metadata["packages"].as_array().unwrap().iter();
    let manifests = manifests.map(|package| PathBuf::from(package["manifest_path"].as_str().unwrap()));
    manifests.map(|path| path.parent().unwrap().strip_prefix(&root).unwrap().display().to_string()).collect()
}

/// The names of the workspace's libraries, as Rust code writes them.
pub(crate) fn libraries() -> Vec<String> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let targets = packages.flat_map(|package| package["targets"].as_array().unwrap());
    let libraries = targets.filter(|target| target["kind"] == serde_json::json!(["lib"]));
    libraries.map(|target| target["name"].as_str().unwrap().replace('-', "_")).collect()
}

#[test]
fn plain_cargo_builds_everything_but_the_packages_on_demand() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let default = metadata["workspace_default_members"].as_array().unwrap().contains(&package["id"]);
        let on_demand = package["metadata"]["xtask"]["on-demand"] == true;
        assert_ne!(
            default, on_demand,
            "{}: either it is among default-members in Cargo.toml, or its manifest says on-demand",
            package["name"]
        );
    }
}

#[test]
fn the_code_of_an_app_is_a_module_of_the_backend() {
    let source = workspace_root().join("backend/src");
    let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
    // An app may have tables before it has code.
    let with_code = |app: &str| source.join(app).with_extension("rs").exists() || source.join(app).exists();
    let apps: Vec<App> = product::project().apps.into_iter().filter(|app| with_code(&app.name)).collect();
    assert!(apps.len() >= 3, "{apps:?}");
    for app in apps {
        assert!(lib.contains(&format!("pub mod {};", app.name)), "backend has no module {}", app.name);
    }
}

#[test]
fn the_first_command_of_a_fresh_clone_builds_no_more_than_this() {
    let manifest: toml::Table =
        fs::read_to_string(workspace_root().join("xtask/Cargo.toml")).unwrap().parse().unwrap();
    let direct: Vec<&str> = manifest["dependencies"].as_table().unwrap().keys().map(String::as_str).collect();
    let allowed = [
        "anyhow",
        "catalogue",
        "clap",
        "clap_complete",
        "cluster",
        "diff",
        "dotenvy",
        "duct",
        "etcetera",
        "futures-util",
        "hex",
        "indicatif",
        "migrations",
        "percent-encoding",
        "rand",
        "rustix",
        "serde",
        "serde_json",
        "sha2",
        "shlex",
        "sqlx",
        "start",
        "tests",
        "tokio",
        "toml_edit",
        "url",
        "which",
        "xshell",
        "xtask-protocol",
    ];
    assert_eq!(direct, allowed, "a new dependency of xtask delays every first command: see CONTRIBUTING.md");
}

#[test]
fn the_image_uses_the_compiler_that_runs_the_tests() {
    let read = |path: &str| fs::read_to_string(workspace_root().join(path)).unwrap();
    let toolchain: toml::Table = read("rust-toolchain.toml").parse().unwrap();
    let version = toolchain["toolchain"]["channel"].as_str().unwrap();
    let (minor, _) = version.rsplit_once('.').unwrap();
    let dockerfile = read("backend/Dockerfile");
    assert!(
        dockerfile.contains(&format!("\nARG RUST=rust:{minor}-")),
        "backend/Dockerfile is not on {version}"
    );
}

#[test]
fn every_version_is_in_the_workspace_manifest() {
    let packages = folders();
    assert!(packages.len() >= 9, "{packages:?}");
    for package in packages {
        let path = format!("{package}/Cargo.toml");
        let manifest: toml::Table =
            fs::read_to_string(workspace_root().join(&path)).unwrap().parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(|it| it.as_table()) else { continue };
            for (name, value) in dependencies {
                assert!(value.get("workspace").is_some(), "{path}: {name} has a version of its own");
            }
        }
    }
}

#[test]
fn no_app_is_named_in_the_engine() {
    let project = product::project();
    for folder in ["migrations/src", "tests/src", "tests/client", "tests/macros", "xtask"] {
        let product =
            files(folder, &[".rs", ".sql"]).into_iter().filter(|(path, _)| !path.contains("/tests/"));
        for (path, text) in product {
            for app in &project.apps {
                for quoted in
                    [format!("\"{}\"", app.name), format!("`{}`", app.name), format!("{}/0", app.name)]
                {
                    assert!(
                        !text.contains(&quoted),
                        "{path} names the app {quoted}; only apps.toml may describe an app"
                    );
                }
            }
        }
    }
}

#[test]
fn documents_name_only_paths_that_exist() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(workspace_root().join(document)).unwrap();
        let mut fenced = false;
        for (number, line) in text.lines().enumerate() {
            fenced ^= line.starts_with("```");
            let quoted = line.split('`').skip(1).step_by(2).filter(|_| !fenced);
            for path in quoted.filter(|text| {
                text.contains('/') && !text.contains([' ', '<', '*', '$', ':', '~']) && !text.starts_with('/')
            }) {
                let examples = ["NNNN", "0001", "0002", "billing", "app/", "target/"];
                if !examples.iter().any(|example| path.contains(example)) {
                    assert!(
                        workspace_root().join(path).exists(),
                        "{document}:{}: `{path}` does not exist",
                        number + 1
                    );
                }
            }
        }
    }
}

#[test]
fn no_file_holds_a_path_of_one_machine() {
    // In two parts, so that the test does not find itself.
    let home = ["/home", "/work", "/root"].map(|folder| format!("{folder}/"));
    for (path, text) in files("", &[".rs", ".sql", ".toml", ".md", ".sh", ".yml"]) {
        for (number, line) in text.lines().enumerate() {
            // The users of examples are on no real machine.
            let line = line.replace("/home/me/", "").replace("/home/you/", "");
            for folder in &home {
                assert!(!line.contains(folder.as_str()), "{path}:{}: {folder}", number + 1);
            }
        }
    }
}

#[test]
fn the_xtask_of_another_repository_is_built_like_ours() {
    let read = |path: &str| fs::read_to_string(workspace_root().join(path)).unwrap();
    let table = |path: &str| -> toml::Table { read(path).parse().unwrap() };
    let channel = |path: &str| table(path)["toolchain"]["channel"].clone();
    assert_eq!(channel("xtask/host/rust-toolchain.toml"), channel("rust-toolchain.toml"));
    // A setting for a package that it is not built from would be a warning of each build.
    let [ours, hosts] =
        ["Cargo.toml", "xtask/host/Cargo.toml"].map(|path| table(path)["profile"]["dev"].clone());
    assert_eq!(ours["debug"], hosts["debug"]);
    let (ours, hosts) = (ours["package"].as_table().unwrap(), hosts["package"].as_table().unwrap());
    let others = ["argon2", "blake2", "liblzma-sys"];
    let ours: toml::Table =
        ours.clone().into_iter().filter(|(name, _)| !others.contains(&name.as_str())).collect();
    assert_eq!(ours, *hosts);
}
