//! `apps.toml`: the Postgres version, the apps, what each depends on, and the tables that each owns.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, de::DeserializeOwned};
use toml::Spanned;

use crate::{
    Place, Postgres, Problem, id::is_plain, nearest::closest, postgres::Section, statements::line_at,
};

/// The folder of an app in a cargo package, if the manifest names no other.
const IN_PACKAGE: &str = "migrations";

/// An app: a named set of migrations, with its own ledger table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct App {
    /// Its name.
    pub name: String,
    /// Its folder, as people type it in the folder above the manifest's: `migrations/billing`.
    pub folder: String,
    /// The database that it is in.
    pub database: String,
    /// The apps whose tables its SQL may touch, besides its own.
    pub depends_on: Vec<String>,
    /// The tables that it owns, by name: `invoices`, or `audit.events` in another schema than `public`.
    pub tables: Vec<String>,
    /// The tables that another app owned before, each with that app, whose old migrations made it.
    pub moved: BTreeMap<String, String>,
    /// The cargo package that its folder is in, if that is one that the repository depends on.
    pub package: Option<String>,
    /// Whether its folder is somewhere else than beside the manifest.
    pub is_elsewhere: bool,
    /// The table in which sqlx records its migrations, from the manifest or `sqlx.toml`: `migrations.billing`.
    pub ledger: String,
    /// The last migration of its history, by name. All up to it are applied like others, and not judged.
    pub baseline: Option<String>,
    /// Whether its migrations have ways back. If not, a missing down file is no problem.
    pub reversible: bool,
    /// What happens to a migration that is not applied though a later one is.
    pub late: Late,
}

/// What happens to a migration that is not applied though a later one of its app is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Late {
    /// It is an error, and nothing is applied.
    #[default]
    Refuse,
    /// It is applied.
    Apply,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    program: Option<String>,
    postgres: Section,
    #[serde(rename = "app", default)]
    apps: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    database: Option<Spanned<String>>,
    depends_on: Vec<Spanned<String>>,
    tables: Vec<Spanned<String>>,
    #[serde(default)]
    moved: BTreeMap<Spanned<String>, Spanned<String>>,
    path: Option<String>,
    #[serde(rename = "crate")]
    package: Option<String>,
    ledger: Option<Spanned<String>>,
    baseline: Option<String>,
    #[serde(default = "yes")]
    reversible: bool,
    #[serde(default)]
    late: Late,
}

fn yes() -> bool {
    true
}

/// The part of the manifest that is about the server.
#[derive(Deserialize)]
struct ServerOnly {
    postgres: Section,
    #[serde(rename = "app", default)]
    apps: Vec<DatabaseOnly>,
}

/// The part of an app's entry that is about the server.
#[derive(Deserialize)]
struct DatabaseOnly {
    database: Option<Spanned<String>>,
}

/// The manifest.
pub(crate) struct Manifest {
    pub(crate) program: Option<String>,
    pub(crate) postgres: Postgres,
    pub(crate) apps: Vec<App>,
}

/// Reads the manifest. A ledger that it does not name stays empty: the app's `sqlx.toml` names it. A baseline stays as it was
/// written, since only the app's files say whether it exists.
pub(crate) fn parse(path: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Manifest> {
    let at = |offset: usize| Place::line(path, line_at(text, offset.min(text.len())));
    let file: File = read(path, text, problems)?;
    let names: Vec<&str> = file.apps.iter().map(|app| app.name.as_ref().as_str()).collect();
    let of_apps = file.apps.iter().filter_map(|app| app.database.as_ref());
    let postgres = Postgres::checked(&file.postgres, of_apps, &at, problems);
    let database =
        |app: &Entry| app.database.as_ref().map_or(postgres.main.clone(), |it| it.as_ref().clone());
    let databases: Vec<String> = file.apps.iter().map(database).collect();
    let database_of = |app: &str| Some(&databases[names.iter().position(|name| *name == app)?]);
    let mut owners: HashMap<(&str, &str), &str> = HashMap::new();
    for (index, app) in file.apps.iter().enumerate() {
        let name = names[index];
        let mut say = |place, message| problems.push(Problem::Manifest { place, message });
        if !is_plain(name) {
            say(
                at(app.name.span().start),
                format!("app name `{name}` is not lower-case letters, digits and `_`, 63 at most"),
            );
        }
        if names[..index].contains(&name) {
            say(at(app.name.span().start), format!("app `{name}` is here twice; remove one"));
        }
        for dependency in &app.depends_on {
            let wanted = dependency.as_ref().as_str();
            if wanted == name {
                say(at(dependency.span().start), format!("app `{name}` depends on itself; remove it"));
            } else if !names.contains(&wanted) {
                let hint =
                    closest(wanted, &names).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
                let message = format!("app `{name}` depends on `{wanted}`, which is no app here{hint}");
                say(at(dependency.span().start), message);
            } else if let Some(other) = database_of(wanted).filter(|other| **other != databases[index]) {
                let own = &databases[index];
                let message = format!(
                    "app `{name}` in database `{own}` depends on `{wanted}` in database `{other}`, whose tables it can't touch; remove it"
                );
                say(at(dependency.span().start), message);
            }
        }
        if let Some(ledger) = app.ledger.as_ref().filter(|ledger| !is_ledger(ledger.as_ref())) {
            let message = format!(
                "`ledger` must be a schema and a table, each in lower-case letters, digits and `_`, such as `public._sqlx_migrations`, not `{}`",
                ledger.as_ref()
            );
            say(at(ledger.span().start), message);
        }
        for (table, from) in &app.moved {
            let from_name = from.as_ref().as_str();
            if !names.contains(&from_name) {
                let hint =
                    closest(from_name, &names).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
                let table = table.as_ref();
                let message =
                    format!("table `{table}` has moved from `{from_name}`, which is no app here{hint}");
                say(at(from.span().start), message);
            } else if let Some(other) = database_of(from_name).filter(|other| **other != databases[index]) {
                let table = table.as_ref();
                let message = format!(
                    "table `{table}` has moved from `{from_name}`, which is in database `{other}`; a table can't leave its database"
                );
                say(at(from.span().start), message);
            }
        }
        for table in &app.tables {
            let wanted = table.as_ref().as_str();
            if let Some(owner) = owners.insert((&databases[index], wanted), name) {
                let message = format!("table `{wanted}` of app `{name}` belongs to app `{owner}` already");
                say(at(table.span().start), message);
            }
        }
    }
    if let Some((place, path)) = circle(&file.apps, &names) {
        let message = format!("the apps depend on each other in a circle: {path}; remove one direction");
        problems.push(Problem::Manifest { place: at(place), message });
    }

    let strings = |list: &[Spanned<String>]| list.iter().map(|s| s.as_ref().clone()).collect();
    let apps = file.apps.iter().zip(&databases).map(|(app, database)| App {
        name: app.name.as_ref().clone(),
        database: database.clone(),
        folder: folder(path, app),
        depends_on: strings(&app.depends_on),
        tables: strings(&app.tables),
        moved: app
            .moved
            .iter()
            .map(|(table, from)| (table.as_ref().clone(), from.as_ref().clone()))
            .collect(),
        package: app.package.clone(),
        is_elsewhere: app.path.is_some() || app.package.is_some(),
        ledger: app.ledger.as_ref().map(|ledger| ledger.as_ref().clone()).unwrap_or_default(),
        baseline: app.baseline.clone(),
        reversible: app.reversible,
        late: app.late,
    });
    let apps = apps.collect();
    Some(Manifest { program: file.program, postgres, apps })
}

/// Whether this is the name of a table with its schema, which sqlx can paste into SQL.
pub(crate) fn is_ledger(name: &str) -> bool {
    name.split_once('.').is_some_and(|(schema, table)| is_plain(schema) && is_plain(table))
}

impl Entry {
    /// Its folder, as seen from the manifest's or its package's.
    fn path_within(&self) -> &str {
        match (&self.path, &self.package) {
            (Some(path), _) => path,
            (None, Some(_)) => IN_PACKAGE,
            (None, None) => self.name.as_ref(),
        }
    }
}

/// The folder of an app, seen from the folder above the manifest's, or with the name of its package.
fn folder(manifest: &str, app: &Entry) -> String {
    let manifest = manifest.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = app.package.as_deref().unwrap_or(manifest);
    let path = app.path_within();
    if path.starts_with('/') {
        return path.trim_end_matches('/').to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in beside.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Where the files of an app are.
pub(crate) struct Location {
    pub(crate) app: String,
    /// The cargo package that its folder is in.
    pub(crate) package: Option<String>,
    /// Its folder, seen from the package's, or from the folder above the manifest's.
    pub(crate) folder: String,
}

/// Where the apps of a manifest are; nowhere if it can't be read.
pub(crate) fn locations(path: &str, text: &str) -> Vec<Location> {
    let file: Option<File> = toml::from_str(text).ok();
    let location = |entry: Entry| Location {
        folder: if entry.package.is_some() { entry.path_within().to_owned() } else { folder(path, &entry) },
        app: entry.name.into_inner(),
        package: entry.package,
    };
    file.into_iter().flat_map(|file| file.apps).map(location).collect()
}

/// Reads the section on Postgres alone.
pub(crate) fn parse_postgres(path: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Postgres> {
    let at = |offset: usize| Place::line(path, line_at(text, offset.min(text.len())));
    let file: ServerOnly = read(path, text, problems)?;
    let of_apps = file.apps.iter().filter_map(|app| app.database.as_ref());
    Some(Postgres::checked(&file.postgres, of_apps, &at, problems))
}

fn read<T: DeserializeOwned>(path: &str, text: &str, problems: &mut Vec<Problem>) -> Option<T> {
    let error = match toml::from_str(text) {
        Ok(file) => return Some(file),
        Err(error) => error,
    };
    let at = |offset: usize| Place::line(path, line_at(text, offset.min(text.len())));
    let place = error.span().map_or(Place::file(path), |span| at(span.start));
    problems.push(Problem::Manifest { place, message: error.message().trim().replace('\n', " ") });
    None
}

/// A circle of `depends-on`, as `a → b → a`, with the place of its first edge.
fn circle(apps: &[Entry], names: &[&str]) -> Option<(usize, String)> {
    // An app that depends only on apps removed already can't be part of one.
    let mut left: Vec<usize> = (0..apps.len()).collect();
    let edge = |app: usize, left: &[usize]| {
        let dependencies = apps[app].depends_on.iter();
        dependencies
            .filter_map(|it| Some((names.iter().position(|name| name == it.as_ref())?, it.span().start)))
            .find(
                // An app that depends on itself has an error of its own.
                |(other, _)| *other != app && left.contains(other),
            )
    };
    loop {
        let waiting: Vec<usize> = left.iter().copied().filter(|&app| edge(app, &left).is_some()).collect();
        if waiting.len() == left.len() {
            break;
        }
        left = waiting;
    }
    // Each of the rest depends on another of them, so the walk returns to its own path.
    let mut path = vec![*left.first()?];
    loop {
        let (next, _) = edge(path[path.len() - 1], &left)?;
        if let Some(first) = path.iter().position(|&app| app == next) {
            let names: Vec<&str> = path[first..].iter().chain([&next]).map(|&app| names[app]).collect();
            return Some((edge(next, &left)?.1, names.join(" → ")));
        }
        path.push(next);
    }
}
