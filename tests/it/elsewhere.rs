//! Another repository, which has never seen this workflow: what `init` finds there, writes, and leaves alone.

mod repository;

use std::fs;

use duct::cmd;
use tests::workspace_root;

use self::repository::Repository;
use crate::checkout::{FIXTURE, outcome, xtask};

/// Cargo's settings of a repository that has some of its own.
const SETTINGS: &str = "\
# Strict here.
[build]
rustflags = [\"-D\", \"warnings\"] # all of them

[alias]
b = \"build\" # short
";

const ALIAS: &str = "xtask = \"run --quiet --profile start --manifest-path xtask/start/Cargo.toml --\"\n";

/// A repository whose migrations are this project's fixture, so its manifest is there.
fn with_manifest() -> Repository {
    let mut files = Vec::new();
    for (path, text) in crate::tidy::files(FIXTURE, &[".sql", ".toml"]) {
        files.push((path.replacen(FIXTURE, "migrations", 1), text));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    Repository::new(&[&files[..], &[(".cargo/config.toml", SETTINGS)]].concat())
}

#[test]
fn a_repository_gets_an_xtask_of_its_own_and_keeps_the_rest() {
    let repository = with_manifest();
    repository.init(&["--check"]).expect(3, &["xtask/, 8 files", ".cargo/config.toml"]);
    repository.init(&["--dry-run"]).expect(0, &["xtask/, 8 files", "missing"]);
    assert_eq!(repository.changes(), "");

    // From any folder of it.
    let written = repository.init_in("migrations/people", &[]);
    written.expect(0, &["xtask/, 8 files", "written", "all of it holds"]);
    written.expect(0, &["commit it: git add .cargo/config.toml xtask\n", "cargo xtask db-setup"]);
    assert_eq!(repository.read(".cargo/config.toml"), SETTINGS.to_owned() + ALIAS);
    let manifest = repository.read("xtask/Cargo.toml");
    let library = workspace_root().canonicalize().unwrap().join("xtask");
    assert!(manifest.contains(&format!("xtask = {{ path = \"{}\" }}", library.display())), "{manifest}");
    let changes = repository.changes();
    assert!(changes.lines().all(|line| line.contains(" xtask/") || line == " M .cargo/config.toml"));

    // The lock has the versions that the library is tested with, and no more packages than this one needs.
    let [ours, lock] = [workspace_root().join("Cargo.lock"), repository.path("xtask/Cargo.lock")]
        .map(|path| fs::read_to_string(path).unwrap());
    let packages = |lock: &str| -> Vec<String> {
        let blocks = lock.split("[[package]]\n").skip(1);
        blocks.map(|it| it.lines().take(2).collect::<Vec<_>>().join(" ")).collect()
    };
    let ours = packages(&ours);
    assert!(packages(&lock).iter().all(|it| ours.contains(it) || it.contains("xtask-host")), "{lock}");
    assert!(lock.contains("\"xtask-host\"") && !lock.contains("\"testcontainers\""), "{lock}");

    repository.commit();
    repository.init(&[]).expect(0, &["nothing is left to do"]);
    repository.init(&["--check"]).expect(0, &["nothing is left to do"]);
    assert_eq!(repository.changes(), "");
}

#[test]
fn the_alias_builds_for_this_machine_where_the_rest_is_for_another() {
    let repository = with_manifest();
    repository.write(".cargo/config.toml", "build.target = \"wasm32-unknown-unknown\"\n");
    repository.init(&[]).expect(0, &["written"]);
    let settings = repository.read(".cargo/config.toml");
    assert!(settings.contains("--target host-tuple --manifest-path"), "{settings}");
}

#[test]
fn the_library_comes_from_a_git_repository_if_one_is_named() {
    let repository = with_manifest();
    repository.init(&["--source", "https://127.0.0.1:1/workflow@v1"]).expect(0, &["written"]);
    let manifest = repository.read("xtask/Cargo.toml");
    assert!(
        manifest.contains(r#"xtask = { git = "https://127.0.0.1:1/workflow", rev = "v1" }"#),
        "{manifest}"
    );
    let other = with_manifest();
    other.init(&["--source", "."]).expect(1, &["is no checkout of this library", "--source SOURCE"]);
    assert_eq!(other.changes(), "");
}

#[test]
fn nothing_is_written_where_something_else_has_the_name() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n", &["xtask/Cargo.toml is this repository's own"]),
        ("xtask/src/main.rs", "fn main() {}\n", &["xtask/src is this repository's own", "rename"]),
        (
            ".cargo/config.toml",
            "[alias]\nxtask = \"run --package tools --\"\n",
            &["the alias `xtask` in .cargo/config.toml is this repository's own", "run --package tools --"],
        ),
        (
            ".cargo/config",
            "alias.xtask = [\"run\", \"--bin\", \"x\"]\n",
            &["in .cargo/config is", "run --bin x"],
        ),
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"*\"]\n",
            &["members `*` would take in xtask/", "exclude = [\"xtask\"]"],
        ),
        (".cargo/config.toml", "[alias\n", &["read .cargo/config.toml", "line 1"]),
    ];
    for (path, text, said) in cases {
        let repository = with_manifest();
        if *path == ".cargo/config" {
            fs::remove_file(repository.path(".cargo/config.toml")).unwrap();
        }
        repository.write(path, text);
        repository.commit();
        repository.init(&[]).expect(1, said);
        assert_eq!(repository.changes(), "", "{path}");
    }
}

#[test]
fn a_tree_that_can_not_be_written_to_stays_without_half_of_the_files() {
    let repository = with_manifest();
    fs::remove_dir_all(repository.path(".cargo")).unwrap();
    // Root may write anywhere, but a file is no folder for it either.
    repository.write(".cargo", "");
    repository.commit();
    repository.init(&[]).expect(1, &[".cargo"]);
    assert_eq!(repository.changes(), "");
    assert!(!repository.path("xtask").exists());
}

#[test]
fn outside_of_git_the_folder_has_to_be_named() {
    let repository = with_manifest();
    fs::remove_dir_all(repository.path(".git")).unwrap();
    repository.init(&[]).expect(1, &["is in no git repository", "nothing was written", "--into FOLDER"]);
    assert!(!repository.path("xtask").exists());
    repository.init_in("migrations", &["--into", ".."]).expect(0, &["written", "all of it holds"]);
    repository.init(&["--into", "."]).expect(0, &["nothing is left to do"]);
}

#[test]
fn folders_that_do_not_apply_are_listed_with_the_reason() {
    let repository = Repository::new(&[
        ("lite/migrations/1_a.sql", "create table t (id integer primary key autoincrement);"),
        ("my/migrations-mysql/1_a.sql", "create table t (id int);"),
        ("roles/migrations/1_a.sql", "create table t (id int); grant select on t to reader;"),
        ("geo/migrations/20240101_a.up.sql", "create extension there_is_none;"),
        ("half/migrations/2_b.sql", "alter table users add column age int;"),
        ("rows/migrations/1_a.sql", "select 1;"),
        ("twice/migrations/7_a.sql", "create table a (id int);"),
        ("twice/migrations/7_b.up.sql", "create table b (id int);"),
        ("node_modules/x/1_a.sql", "create table t (id int);"),
        ("target/1_a.sql", "create table t (id int);"),
        ("queries/users.sql", "select 1;"),
    ]);
    let said = repository.init(&[]);
    said.expect(
        1,
        &[
            "lite/migrations\n  1_a.sql: syntax error at or near \"autoincrement\" (42601); is it SQL for another database?",
            "my/migrations-mysql\n  its path says mysql",
            "roles/migrations\n  1_a.sql: role \"reader\" does not exist (42704); a migration has to make that role",
            "geo/migrations\n  20240101_a.up.sql: extension \"there_is_none\" is not available",
            "XTASK_POSTGRES_IMAGE=IMAGE",
            "half/migrations\n  2_b.sql: relation \"users\" does not exist (42P01)",
            "rows/migrations\n  its files change nothing",
            "twice/migrations\n  7_a and 7_b have one number, and sqlx fails on the second",
            "nothing was written",
        ],
    );
    assert!(!said.stdout.contains("node_modules") && !said.stdout.contains("target"), "{said:?}");
    assert_eq!(repository.changes(), "");

    let empty = Repository::new(&[("queries/users.sql", "select 1;")]);
    empty.init(&[]).expect(1, &["no folder with migrations that sqlx reads"]);
    empty.init(&["queries"]).expect(1, &["queries has no file that sqlx reads", "NUMBER_NAME.sql"]);
    empty.init(&["/"]).expect(1, &["is not in the repository"]);
}

#[test]
fn a_manifest_that_is_there_stays_and_what_it_lacks_is_named() {
    let repository = with_manifest();
    repository.write("more/migrations/1_a.sql", "create table more (id int);");
    repository.commit();
    let refused = repository.init(&["more/migrations"]);
    refused.expect(1, &["migrations/apps.toml is there already and has no app with more/migrations"]);
    assert_eq!(repository.changes(), "");
    repository.init(&[]).expect(0, &["more/migrations has migrations, and is in no app of", "written"]);
    assert_eq!(repository.changes().lines().filter(|line| !line.contains("xtask")).count(), 1);
}

#[test]
fn the_first_program_compiles_with_old_toolchains_and_is_clean() {
    let (root, empty) = (workspace_root(), tempfile::tempdir().unwrap());
    let start = root.join("xtask/host/start/Cargo.toml");
    // Clippy compares what it uses with the `rust-version` of its manifest. Our own list of refused functions is not for it.
    let (cargo, deny) = (env!("CARGO"), "warnings");
    let clippy =
        cmd!(cargo, "clippy", "--manifest-path", start, "--target-dir", empty.path(), "--", "--deny", deny);
    outcome(&clippy.env("CLIPPY_CONF_DIR", empty.path()).unchecked()).expect(0, &[]);
    for file in ["src/main.rs", "start/src/main.rs", "new/src/lib.rs", "new/tests/currencies.rs"] {
        let file = root.join("xtask/host").join(file);
        outcome(&cmd!("rustfmt", "--check", "--edition", "2021", file).unchecked()).expect(0, &[]);
    }
}

#[test]
fn a_new_repository_has_an_app_a_table_a_seed_a_test_and_a_job() {
    let repository = Repository(tempfile::tempdir().unwrap());
    let (above, shop) = (repository.0.path().display().to_string(), repository.root().display().to_string());
    let init = |args: &[&str]| repository.init_in(&above, &[&["--new", "--into", &shop], args].concat());
    fs::create_dir(repository.root()).unwrap();
    init(&["--check"]).expect(3, &["migrations/shop/seed.sql", ".github/workflows/database.yml"]);
    init(&["--dry-run"]).expect(0, &["xtask/, 8 files"]);
    assert_eq!(fs::read_dir(repository.root()).unwrap().count(), 0);

    fs::remove_dir(repository.root()).unwrap();
    let written = init(&[]);
    written.expect(0, &["1 table, exactly as apps.toml says", "seeds write 3 rows", "all of it holds"]);
    written.expect(0, &["git add --all", "cargo xtask db-setup"]);
    let manifest = repository.read("Cargo.toml");
    let library = workspace_root().canonicalize().unwrap().join("tests");
    assert!(manifest.contains(&format!("tests = {{ path = \"{}\" }}", library.display())), "{manifest}");
    assert!(!repository.read("Cargo.lock").contains("\"clap\""));

    init(&[]).expect(1, &["Cargo.toml is there already, so nothing was written"]);
    repository.init_in(&above, &["--into", &shop]).expect(0, &["nothing is left to do"]);
}

#[test]
fn a_job_is_written_once_and_beside_one_that_is_there() {
    let repository = with_manifest();
    repository.init(&["--ci", "github"]).expect(0, &[".github/workflows/database.yml"]);
    repository.init(&["--ci", "gitlab"]).expect(0, &[".gitlab-ci.yml"]);
    for host in ["github", "gitlab"] {
        repository.init(&["--ci", host]).expect(0, &["nothing is left to do"]);
    }
    let own = "build:\n  script: [make]\n";
    repository.write(".gitlab-ci.yml", own);
    repository
        .init(&["--ci", "gitlab"])
        .expect(0, &["include: [{ local: .gitlab/database.yml }]", "all of it holds"]);
    assert_eq!(repository.read(".gitlab-ci.yml"), own);
    repository.init(&["--ci", "gitlab"]).expect(0, &["nothing is left to do"]);
}

/// A team's history: downs that do not give back what was before, and one that was never written.
const HISTORY: [(&str, &str); 9] = [
    (
        "migrations/20230101120000_init.up.sql",
        "create table users (id bigint primary key, name text not null);",
    ),
    ("migrations/20230101120000_init.down.sql", "drop table users;"),
    ("migrations/20230102120000_Add-Age.up.sql", "alter table users add column age int;"),
    ("migrations/20230102120000_Add-Age.down.sql", "select 1;"),
    (
        "migrations/20230103120000_orders.sql",
        "create table orders (id bigint primary key, buyer bigint references users);",
    ),
    ("migrations/20230104120000_note.up.sql", "alter table orders add column note text;"),
    ("migrations/20230104120000_note.down.sql", "alter table orders drop column note;"),
    ("migrations/README.md", "How we write them."),
    ("Cargo.toml", "[package]\nname = \"web-shop\"\n"),
];

#[test]
fn a_history_is_an_app_whose_baseline_is_the_last_migration_that_fails() {
    let repository = Repository::new(&HISTORY);
    let written = repository.init(&[]);
    written.expect(0, &["web_shop: migrations, 4 migrations, 2 tables", "all of it holds"]);
    let manifest = repository.read("xtask/apps.toml");
    let lines: Vec<&str> = manifest.split_once("[[app]]\n").unwrap().1.lines().collect();
    let expected = [
        "name = \"web_shop\"",
        "path = \"../migrations\"",
        "ledger = \"public._sqlx_migrations\"",
        "baseline = \"20230103120000_orders\"    # up to here, migrations are applied and not judged",
        "depends-on = []",
        "tables = [\"orders\", \"users\"]",
    ];
    assert_eq!(lines, expected, "{manifest}");
    repository.commit();
    repository.init(&[]).expect(0, &["nothing is left to do"]);
    assert_eq!(repository.changes(), "");
}

#[test]
fn a_wrong_down_is_found_by_its_proof() {
    let files: Vec<(&str, &str)> =
        HISTORY.into_iter().filter(|(path, _)| !path.contains("orders") && !path.contains("note")).collect();
    let repository = Repository::new(&files);
    repository
        .init(&[])
        .expect(0, &["history up to 20230102120000_Add-Age is not judged", "all of it holds"]);
}

#[test]
fn a_down_without_an_up_is_history() {
    let lone = ("migrations/20230103110000_renamed.down.sql", "drop table orders;");
    let repository = Repository::new(&[&HISTORY[..2], &HISTORY[5..7], &[lone]].concat());
    let first = [("migrations/20230102110000_orders.up.sql", "create table orders (id int);")];
    repository.write(first[0].0, first[0].1);
    repository.write("migrations/20230102110000_orders.down.sql", "drop table orders;");
    repository.init(&[]).expect(0, &["history up to 20230104120000_note is not judged", "all of it holds"]);
}

#[test]
fn several_folders_are_apps_in_an_order_in_which_they_apply() {
    let repository = Repository::new(&[
        (
            "a/migrations/1_orders.sql",
            "create table orders (id int primary key, buyer int references users);",
        ),
        ("b/migrations/1_users.sql", "create table users (id int primary key);"),
        // Only rows need the other table.
        ("c/migrations/1_first.sql", "create table marks (id int); insert into users values (1);"),
        ("d/migrations/1_users.sql", "create table users (id int primary key);"),
        (
            "e/migrations/1_alone.sql",
            "create table alone (id int primary key); create view single as select 1 as one;",
        ),
    ]);
    let written = repository.init(&[]);
    written.expect(
        0,
        &["d/migrations\n  1_users.sql: relation \"users\" already exists (42P07)", "all of it holds"],
    );
    let manifest = repository.read("xtask/apps.toml");
    let entries: Vec<&str> = manifest.split("[[app]]\n").skip(1).collect();
    let line = |entry: &str, key: &str| {
        let line = entry.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_once(" = ").map_or(String::new(), |(_, value)| value.to_owned())
    };
    let found: Vec<(String, String)> =
        entries.iter().map(|entry| (line(entry, "name"), line(entry, "depends-on"))).collect();
    let expected = [("\"b\"", "[]"), ("\"c\"", "[\"b\"]"), ("\"e\"", "[]"), ("\"a\"", "[\"b\"]")];
    assert_eq!(found, expected.map(|(name, needs)| (name.to_owned(), needs.to_owned())), "{manifest}");
    for entry in &entries {
        assert_eq!(line(entry, "reversible"), "false    # no migration has a way back");
    }
    assert_eq!(line(entries[0], "ledger"), "\"public._sqlx_migrations\"");
    assert_eq!(line(entries[1], "ledger"), "\"public._sqlx_migrations_2\"");
}

#[test]
fn folders_that_people_name_may_be_for_another_database() {
    let jobs = "create table jobs (id int primary key);";
    let repository = Repository::new(&[
        ("core/migrations/1_jobs.sql", jobs),
        ("core/migrations/2_invoices.sql", "create schema billing; create table billing.invoices (id int);"),
        ("prover/migrations/1_jobs.up.sql", jobs),
        ("prover/migrations/1_jobs.down.sql", "drop table jobs;"),
        ("prover/audit/migrations/1_events.sql", "create table events (job int references jobs, at int);"),
    ]);
    let hint = "if this is for another database, name all folders: init FOLDER…";
    repository.init(&["--dry-run"]).expect(0, &["left out", hint]);
    let folders = ["core/migrations", "prover/migrations"];
    let written = repository.init(&folders);
    written
        .expect(0, &["prover: prover/migrations, 1 migration, 1 table, database prover", "all of it holds"]);
    let manifest = repository.read("xtask/apps.toml");
    assert!(manifest.contains("name = \"prover\"\ndatabase = \"prover\"\n"), "{manifest}");
    assert!(manifest.contains("tables = [\"billing.invoices\", \"jobs\"]"), "{manifest}");
    assert_eq!(manifest.matches("ledger = \"public._sqlx_migrations\"").count(), 2, "{manifest}");
    let verify = cmd!(xtask(), "--server", "native", "verify").env("XTASK_ROOT", repository.root());
    outcome(&repository.surrounded(verify)).expect(0, &["database prover"]);
}

#[test]
fn packages_that_bring_migrations_are_named() {
    let manifest = |name: &str, dependency: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\n[workspace]\n[dependencies]\n{dependency}"
        )
    };
    let shop = manifest("shop", "sessions = { path = \"../sessions\" }\njobs = { path = \"../jobs\" }\n");
    let repository = Repository::new(&[
        ("Cargo.toml", &shop),
        ("src/lib.rs", ""),
        ("migrations/1_users.sql", "create table users (id int);"),
        ("../sessions/Cargo.toml", &manifest("sessions", "")),
        ("../sessions/src/lib.rs", ""),
        ("../sessions/migrations/1_sessions.sql", "create table sessions (id int);"),
        ("../jobs/Cargo.toml", &manifest("jobs", "")),
        ("../jobs/src/lib.rs", ""),
        ("../jobs/migrations/postgres/1_jobs.up.sql", "create table jobs (id int);"),
        ("../jobs/migrations/sqlite/1_jobs.up.sql", "create table jobs (id int);"),
    ]);
    let found = repository.init(&["--dry-run"]);
    found.expect(0, &["sessions brings migrations; as an app: crate = \"sessions\"\n"]);
    found.expect(
        0,
        &["jobs brings migrations; as an app: crate = \"jobs\", path = \"migrations/postgres\"\n"],
    );
    assert!(!found.stdout.contains("sqlite"), "{found:?}");
    assert_eq!(repository.changes(), "");
}

#[test]
fn a_schema_with_the_name_of_the_repository_takes_nothing_that_names_no_schema() {
    let repository = Repository::new(&[
        ("migrations/1_schemas.sql", "create schema app; create schema shop;"),
        ("migrations/2_users.sql", "create table users (id int);"),
    ]);
    repository.init(&[]).expect(0, &["all of it holds"]);
    let manifest = repository.read("xtask/apps.toml");
    assert!(
        manifest.contains("database = \"shop\"") && manifest.contains("tables = [\"users\"]"),
        "{manifest}"
    );
    let run = |args: &[&str]| {
        let command = cmd(xtask(), [&["--server", "native"], args].concat());
        outcome(&repository.surrounded(command.env("XTASK_ROOT", repository.root())))
    };
    let [set_up, stopped] = [run(&["db-setup"]), run(&["server", "stop"])];
    set_up.expect(0, &["1 table", "exactly as the files say"]);
    stopped.expect(0, &[]);
}

#[test]
fn an_app_keeps_the_ledger_that_its_package_names() {
    let settings = "[migrate]\ncreate-schemas = [\"ledgers\"]\ntable-name = \"ledgers.store\"\n";
    let repository = Repository::new(&[
        ("crates/store/Cargo.toml", "[package]\nname = \"shop-store\"\n"),
        ("crates/store/sqlx.toml", settings),
        (
            "crates/store/migrations/1_a.up.sql",
            "create table a (id int primary key); create table store (id int);",
        ),
        ("crates/store/migrations/1_a.down.sql", "drop table a; drop table store;"),
    ]);
    repository.init(&[]).expect(0, &["all of it holds"]);
    let manifest = repository.read("xtask/apps.toml");
    assert!(manifest.contains("name = \"shop_store\"\npath = \"../crates/store/migrations\""), "{manifest}");
    // A table of that name in another schema is no ledger.
    let entry = "ledger = \"ledgers.store\"\ndepends-on = []\ntables = [\"a\", \"store\"]";
    assert!(manifest.contains(entry), "{manifest}");
}
