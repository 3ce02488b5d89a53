//! The manifest of a repository whose migrations are there already.

use std::{fs, path::PathBuf};

use anyhow::Context;
use migrations::{LONGEST_NAME, SourceFile};
use toml_edit::{DocumentMut, Item, Value};

use crate::verbs::init::{
    repository::{Folder, Repository},
    trial::{Accepted, Trial},
};

/// Names of databases and roles that belong to the server, and of apps that are folders of other kinds.
const TAKEN: [&str; 9] =
    ["postgres", "template0", "template1", "src", "tests", "examples", "benches", "docs", "embed"];
/// Parts of a path that say only that it has migrations.
const PLAIN: [&str; 9] =
    ["migrations", "migration", "sql", "db", "database", "postgres", "postgresql", "pg", "crates"];

/// An app as the manifest describes it.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) name: String,
    pub(super) accepted: Accepted,
    /// The database that it is in, if that is not the main one.
    pub(super) database: Option<String>,
    /// The last migration that is not judged.
    pub(super) baseline: Option<String>,
}

/// The apps of the accepted folders, in their order.
pub(super) fn apps(repository: &Repository, trial: &Trial) -> Vec<App> {
    let mut apps: Vec<App> = Vec::new();
    for accepted in &trial.accepted {
        let name = app_name(repository, &accepted.folder.path);
        let is_free = |name: &String| apps.iter().all(|app| app.name != *name);
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let name = [name.clone()].into_iter().chain(numbered).find(is_free).unwrap_or(name);
        let database = (accepted.database > 0).then(|| {
            let first = apps.iter().find(|app| app.accepted.database == accepted.database);
            first.map_or_else(
                || other_database(repository, &name),
                |app| app.database.clone().unwrap_or_default(),
            )
        });
        apps.push(App { name, accepted: accepted.clone(), database, baseline: None });
    }
    apps
}

/// The folders that no app of a manifest has.
pub(super) fn missing(
    repository: &Repository,
    manifest: &str,
    folders: &[Folder],
) -> anyhow::Result<Vec<String>> {
    let beside = repository.path(manifest).with_file_name("");
    let apps = SourceFile::folders(&beside).with_context(|| format!("read {manifest}"))?;
    let paths: Vec<PathBuf> = apps.iter().filter_map(|(_, folder)| folder.canonicalize().ok()).collect();
    let is_missing = |folder: &&Folder| {
        let path = repository.path(&folder.path).canonicalize();
        folder.other_database().is_none() && path.is_ok_and(|path| !paths.contains(&path))
    };
    Ok(folders.iter().filter(is_missing).map(|folder| folder.path.clone()).collect())
}

/// The manifest's text.
pub(super) fn text(repository: &Repository, apps: &[App]) -> String {
    let mut text = format!(
        "# Which Postgres, which apps, what each depends on, and the tables that each owns.\n\n\
         [postgres]\n\
         version = {}        # the oldest major version that the SQL runs on\n\
         database = {}    # the name of the development database, and of its role on a server that `cargo xtask` starts\n",
        catalogue::OLDEST,
        quoted(&database(repository)),
    );
    for app in apps {
        text.push_str(&entry(app, apps));
    }
    text
}

fn entry(app: &App, apps: &[App]) -> String {
    let Accepted { folder, ledger, tables, needs, .. } = &app.accepted;
    let mut lines = vec![
        "\n[[app]]".to_owned(),
        format!("name = {}", quoted(&app.name)),
        format!("path = {}", quoted(&format!("../{}", folder.path))),
        format!("ledger = {}", quoted(&ledger.table)),
    ];
    if let Some(database) = &app.database {
        lines.insert(2, format!("database = {}", quoted(database)));
    }
    if let Some(baseline) = &app.baseline {
        lines.push(format!(
            "baseline = {}    # up to here, migrations are applied and not judged",
            quoted(baseline)
        ));
    }
    if !app.is_reversible() {
        lines.push("reversible = false    # no migration has a way back".to_owned());
    }
    let depends_on: Vec<String> = needs.iter().map(|&at| quoted(&apps[at].name)).collect();
    lines.push(format!("depends-on = [{}]", depends_on.join(", ")));
    let tables: Vec<String> = tables.iter().map(|table| quoted(&table.typed())).collect();
    let one_line = format!("tables = [{}]", tables.join(", "));
    lines.push(if one_line.len() <= 100 {
        one_line
    } else {
        format!("tables = [\n{}]", tables.iter().map(|table| format!("    {table},\n")).collect::<String>())
    });
    lines.join("\n") + "\n"
}

impl App {
    /// Whether any of its migrations has a down file.
    pub(super) fn is_reversible(&self) -> bool {
        self.accepted.folder.files.iter().any(|file| file.ends_with(".down.sql"))
    }
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The name of another database: the name of its first app, unless the main one has that.
fn other_database(repository: &Repository, app: &str) -> String {
    if app == database(repository) || TAKEN.contains(&app) { format!("{app}_db") } else { app.to_owned() }
}

/// The database's name: the repository's.
pub(super) fn database(repository: &Repository) -> String {
    let folder = repository.root.file_name().map(|name| plain(&name.to_string_lossy()));
    folder.filter(|name| is_free(name)).unwrap_or_else(|| "app".to_owned())
}

/// An app's name: of the nearest package, or else of the nearest folder that says more than that it has migrations.
fn app_name(repository: &Repository, folder: &str) -> String {
    let parts: Vec<&str> = folder.split('/').collect();
    for length in (1..=parts.len()).rev() {
        let part = plain(parts[length - 1]);
        if !PLAIN.contains(&part.as_str()) && is_free(&part) {
            return part;
        }
        if let Some(package) = package(repository, &parts[..length - 1].join("/")) {
            return package;
        }
    }
    database(repository)
}

/// The name of the package in a folder.
fn package(repository: &Repository, folder: &str) -> Option<String> {
    let manifest = fs::read_to_string(repository.path(folder).join("Cargo.toml")).ok()?;
    let manifest: DocumentMut = manifest.parse().ok()?;
    let name = manifest.get("package")?.get("name").and_then(Item::as_str)?;
    Some(plain(name)).filter(|name| is_free(name))
}

fn is_free(name: &str) -> bool {
    !name.is_empty() && !TAKEN.contains(&name) && !name.starts_with("pg_")
}

/// A name of lower-case letters, digits and `_`, which begins with a letter.
fn plain(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = name.chars().map(letter).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('_');
    name.chars().take(LONGEST_NAME).collect()
}
