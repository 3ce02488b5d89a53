//! `prepare`: the checked queries of a workspace, and the files in `.sqlx` that it keeps for them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::PathBuf,
};

use duct::{Expression, cmd};
use tests::TestDatabase;

use crate::checkout::{Checkout, outcome};

/// The target folder of this workspace. Tests share it, so that `cargo xtask prepare` compiles the dependencies only once.
pub(crate) fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

fn prepare(checkout: &Checkout, db: &TestDatabase, args: &[&str]) -> Expression {
    let args = [&["prepare"], args].concat();
    checkout.command(&db.url(), &args).env("CARGO_TARGET_DIR", target())
}

/// Cargo confuses two copies of a workspace that share a target folder, so these tests run one at a time.
fn alone() -> File {
    let lock = File::create(target().join("preparing.lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// A copy of the workspace whose `backend` has two queries and nothing else, so that it compiles in a second. It keeps its
/// dependencies, so cargo compiles them once for this copy and for the workspace itself, whose queries `cargo xtask ci`
/// checks.
fn two_queries() -> Checkout {
    let checkout = Checkout::of_workspace();
    let root = checkout.root();
    for folder in ["backend/src", "backend/tests/flows", ".sqlx"] {
        fs::remove_dir_all(root.join(folder)).unwrap();
        fs::create_dir(root.join(folder)).unwrap();
    }
    fs::remove_file(root.join("backend/build.rs")).unwrap();
    fs::write(root.join("backend/src/lib.rs"), LIBRARY).unwrap();
    fs::write(root.join("backend/tests/flows/main.rs"), "//! No tests.\n").unwrap();
    checkout
}

/// In a text file, because no Rust file of the tests may have a checked query.
const LIBRARY: &str = include_str!("preparing/two_queries.txt");

/// The files of `.sqlx`, by name, with their texts.
fn sqlx_files(checkout: &Checkout) -> BTreeMap<String, String> {
    let files = fs::read_dir(checkout.root().join(".sqlx")).unwrap().map(|entry| entry.unwrap());
    files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()))
        .collect()
}

/// The name of the file that holds a query.
fn file_of(files: &BTreeMap<String, String>, query: &str) -> String {
    let mut of_query = files.iter().filter(|(_, text)| text.contains(query));
    of_query.next().unwrap().0.clone()
}

#[test]
fn prepare_keeps_one_file_for_each_query_and_no_other() {
    tests::empty().run(async |db| {
        let (_alone, checkout) = (alone(), two_queries());
        outcome(&prepare(&checkout, db, &[])).expect(0, &["added      .sqlx/"]);
        let before = sqlx_files(&checkout);
        assert_eq!(before.len(), 2);
        outcome(&prepare(&checkout, db, &["--check"])).expect(0, &["2 queries in .sqlx", "kept"]);

        let (stale, different) = (file_of(&before, "order by name, id"), file_of(&before, "where name = $1"));
        checkout.edit("backend/src/lib.rs", "order by name, id", "order by name");
        checkout.edit(&format!(".sqlx/{different}"), "\"Uuid\"", "\"Text\"");
        let edited = sqlx_files(&checkout);
        let check = outcome(&prepare(&checkout, db, &["--check"]));
        check.expect(
            3,
            &[
                "missing    .sqlx/query-",
                &format!("different  .sqlx/{different}  select id from roles"),
                &format!("stale      .sqlx/{stale}  select name from roles"),
                "write them: cargo xtask prepare",
            ],
        );
        assert_eq!(check.stdout.matches(".sqlx/query-").count(), 3, "{}", check.stdout);
        assert_eq!(sqlx_files(&checkout), edited);

        outcome(&prepare(&checkout, db, &[]))
            .expect(0, &["added      .sqlx/", "changed    .sqlx/", "removed    .sqlx/"]);
        let written = sqlx_files(&checkout);
        assert_eq!(written.len(), before.len());
        assert!(!written.contains_key(&stale) && written[&different] == before[&different]);

        checkout.edit("backend/src/lib.rs", "order by name", "order by names");
        outcome(&prepare(&checkout, db, &[])).expect(1, &["not every query fits the schema", "names"]);
        assert_eq!(sqlx_files(&checkout), written);
        Ok(())
    });
}

#[test]
fn a_clean_clone_builds_without_the_database_that_its_env_file_names() {
    let (_alone, checkout) = (alone(), two_queries());
    tests::empty().run(async |db| {
        outcome(&prepare(&checkout, db, &[])).expect(0, &[]);
        Ok(())
    });
    let unreachable = "postgres://nobody@127.0.0.1:1/nowhere";
    fs::write(checkout.root().join(".env"), format!("DATABASE_URL={unreachable}\n")).unwrap();
    // Cargo itself, without the variables that `cargo xtask test` sets for this test.
    let build = || {
        let build = cmd!(env!("CARGO"), "check", "--quiet", "--package", "backend", "--all-targets");
        let build = build.dir(checkout.root()).env("CARGO_TARGET_DIR", target().join("sqlx-prepare"));
        outcome(&build.env("DATABASE_URL", unreachable).env_remove("SQLX_OFFLINE").unchecked())
    };
    build().expect(0, &[]);
    let file = file_of(&sqlx_files(&checkout), "where name = $1");
    fs::remove_file(checkout.root().join(".sqlx").join(file)).unwrap();
    // Cargo compiles again when a source changes, not when `.sqlx` does.
    fs::write(checkout.root().join("backend/src/lib.rs"), LIBRARY).unwrap();
    build().expect(101, &["no cached data for this query"]);
}

/// A checkout with a package that has no queries.
fn plain() -> Checkout {
    let checkout = Checkout::new();
    let package = "[package]\nname = \"plain\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(checkout.root().join("Cargo.toml"), package).unwrap();
    for folder in ["src", ".sqlx"] {
        fs::create_dir(checkout.root().join(folder)).unwrap();
    }
    fs::write(checkout.root().join("src/lib.rs"), "").unwrap();
    checkout
}

#[test]
fn each_database_of_the_manifest_has_its_schema_as_text() {
    tests::empty().run(async |db| {
        let checkout = plain();
        let text = |name: &str| fs::read_to_string(checkout.path(name)).unwrap();
        let (section, app) = ("[postgres]\n", "\n[[app]]\nname = \"bills\"\ndatabase = \"bills\"\n");
        checkout.replace("apps.toml", section, &format!("program = \"plain\"\n{section}"));
        let manifest = text("apps.toml") + app + "depends-on = []\ntables = [\"invoices\"]\n";
        checkout.write("apps.toml", &manifest);
        checkout.write("bills/sqlx.toml", &text("people/sqlx.toml").replace("people", "bills"));
        checkout.migration("bills/0001_initial", "create table invoices (id int);", "drop table invoices;");
        let prepare = |args: &[&str]| outcome(&prepare(&checkout, db, args).unchecked());
        let missing = ["different  migrations/schema.txt", "different  migrations/schema.bills.txt"];
        prepare(&["--check"]).expect(3, &missing);
        prepare(&[]).expect(0, &["changed    migrations/schema.bills.txt"]);
        assert!(text("schema.txt").contains("people") && !text("schema.txt").contains("invoices"));
        assert!(
            text("schema.bills.txt").contains("invoices") && !text("schema.bills.txt").contains("people")
        );
        prepare(&["--check"]).expect(0, &[]);
        checkout.write("schema.bills.txt", "stale\n");
        prepare(&["--check"]).expect(3, &["different  migrations/schema.bills.txt"]);
        Ok(())
    });
}

#[test]
fn a_workspace_without_checked_queries_keeps_none_and_needs_no_server() {
    let checkout = plain();
    fs::write(checkout.root().join(".sqlx/query-1.json"), "{\"query\": \"select 1\"}").unwrap();
    let prepare = |args: &[&str]| outcome(&checkout.bare_command(&[&["prepare"], args].concat()));
    prepare(&["--check"]).expect(3, &["stale      .sqlx/query-1.json  select 1"]);
    let removed = prepare(&[]);
    removed.expect(0, &["removed    .sqlx/query-1.json"]);
    assert!(!removed.stdout.contains("server"), "{}", removed.stdout);
    assert!(sqlx_files(&checkout).is_empty());
    prepare(&["--check"]).expect(0, &["0 queries in .sqlx"]);
}
