//! Rules about these tests themselves.

use std::fs;

use tests::workspace_root;

use super::files;

#[test]
fn every_file_of_this_binary_is_a_module() {
    for (path, _) in files("tests/it", &[".rs"]).iter().filter(|(path, _)| path != "tests/it/main.rs") {
        let (folder, module) = path.strip_suffix(".rs").unwrap().rsplit_once('/').unwrap();
        // A file in a folder belongs to the module that the folder is named after.
        let parent =
            if folder == "tests/it" { "tests/it/main.rs".to_owned() } else { format!("{folder}.rs") };
        let declared = fs::read_to_string(workspace_root().join(&parent)).unwrap_or_default();
        assert!(
            declared.lines().any(|line| line.trim_start_matches("pub(crate) ") == format!("mod {module};")),
            "{path} is not declared in {parent}, so its tests never run"
        );
    }
}

/// A new app, table or migration of the product must break only tests of the product.
#[test]
fn tests_of_the_engine_use_the_fixture() {
    // These test the product, in whole or in part; `suite` and `scratch_crowd` borrow from their own checkouts.
    let apart = [
        "backend",
        "bad_input",
        "documents",
        "example",
        "from_nothing",
        "new_crate",
        "pictures",
        "plain_english",
        "preparing",
        "product",
        "schema",
        "scratch_crowd",
        "scratch_handed",
        "suite",
        "superuser",
        "tidy",
    ];
    let about_product = |path: &str| {
        let first = path.strip_prefix("tests/it/").and_then(|path| path.split(['/', '.']).next());
        first.is_some_and(|name| apart.contains(&name))
    };
    // Code that reaches the product's schema.
    let ways = [
        "of_product()",
        "product::",
        "tests::with_database",
        "tests::seeded",
        "tests::unseeded",
        "tests::at(",
        "tests::recycled",
        "tests::with_transaction",
    ];
    for folder in ["tests/it", "xtask/docker/tests", "xtask/download/tests", "xtask/sqlx/tests"] {
        for (path, text) in files(folder, &[".rs"]).iter().filter(|(path, _)| !about_product(path)) {
            for way in ways {
                assert!(
                    path == "tests/it/checkout.rs" || !text.contains(way),
                    "{path} has `{way}`; databases with the fixture come from tests/it/fixture.rs"
                );
            }
        }
    }
}
