//! `apps.toml`: which Postgres, which apps, what each depends on, and the tables that each owns.

use serde::Deserialize;
use toml::Spanned;

use crate::{Place, Problem, nearest::closest, source::NOT_APPS, statements::line_at};

/// Bytes of a name that Postgres keeps.
const LONGEST_NAME: usize = 63;

/// Databases of the server itself.
const SERVERS_OWN: &[&str] = &["postgres", "template0", "template1"];

/// Name of the manifest in the migrations folder.
pub(crate) const FILE: &str = "apps.toml";

/// What the manifest says of Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    /// The oldest major version that the migrations run on.
    pub version: u32,
    /// Name of the development database where a connection string names none, and of the role on a server of our own.
    pub database: String,
    /// The image of a server in Docker; the usual one of that major where it is not named.
    pub image: Option<String>,
    /// The server to use where neither the command line nor the environment names one: `auto`, `url`, `docker` or `native`.
    pub server: Option<String>,
}

/// An app: a named set of migrations, with its own ledger table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its name, which is its folder's too.
    pub name: String,
    /// The apps whose tables its SQL may touch besides its own.
    pub depends_on: Vec<String>,
    /// The tables that it owns, by name, in schema `public`.
    pub tables: Vec<String>,
    /// Where sqlx records its migrations, as `sqlx.toml` says: `migrations.billing`.
    pub ledger: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Server {
    version: u32,
    database: Spanned<String>,
    image: Option<String>,
    server: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    program: Option<String>,
    postgres: Server,
    #[serde(rename = "app", default)]
    apps: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    depends_on: Vec<Spanned<String>>,
    tables: Vec<Spanned<String>>,
}

/// What the manifest says.
pub(crate) struct Manifest {
    pub(crate) program: Option<String>,
    pub(crate) postgres: Postgres,
    pub(crate) apps: Vec<App>,
}

/// Reads the manifest. Ledger tables are still empty: they stand in each app's `sqlx.toml`.
pub(crate) fn parse(path: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Manifest> {
    let at = |offset: usize| Place::line(path, line_at(text, offset.min(text.len())));
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let place = error.span().map_or(Place::file(path), |span| at(span.start));
            problems.push(Problem::Manifest { place, message: error.message().trim().replace('\n', " ") });
            return None;
        }
    };

    let names: Vec<&str> = file.apps.iter().map(|app| app.name.as_ref().as_str()).collect();
    let database = file.postgres.database.as_ref().as_str();
    if !is_plain(database) || database.starts_with("pg_") || SERVERS_OWN.contains(&database) {
        let message = format!(
            "`database` must be a plain name, which is the role's too: lower-case letters, digits and `_`, not `{database}`"
        );
        problems.push(Problem::Manifest { place: at(file.postgres.database.span().start), message });
    }
    let mut owners: Vec<(&str, &str)> = Vec::new();
    for (index, app) in file.apps.iter().enumerate() {
        let name = names[index];
        let mut say = |place, message| problems.push(Problem::Manifest { place, message });
        if !is_plain(name) {
            say(
                at(app.name.span().start),
                format!("app name `{name}` is not lower-case letters, digits and `_`, 63 at most"),
            );
        }
        if NOT_APPS.contains(&name) {
            say(
                at(app.name.span().start),
                format!("`{name}` is a folder of another kind here; give the app another name"),
            );
        }
        if names[..index].contains(&name) {
            say(at(app.name.span().start), format!("app `{name}` stands here twice; remove one"));
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
            }
        }
        for table in &app.tables {
            let wanted = table.as_ref().as_str();
            if let Some((_, owner)) = owners.iter().find(|(table, _)| *table == wanted) {
                let message = format!("table `{wanted}` of app `{name}` belongs to app `{owner}` already");
                say(at(table.span().start), message);
            }
            owners.push((wanted, name));
        }
    }
    if let Some((place, path)) = circle(&file.apps, &names) {
        let message =
            format!("the apps depend on each other in a circle: {path}; only one direction can stand");
        problems.push(Problem::Manifest { place: at(place), message });
    }

    let strings = |list: &[Spanned<String>]| list.iter().map(|s| s.as_ref().clone()).collect();
    let apps = file.apps.iter().map(|app| App {
        name: app.name.as_ref().clone(),
        depends_on: strings(&app.depends_on),
        tables: strings(&app.tables),
        ledger: String::new(),
    });
    let apps = apps.collect();
    let Server { version, database, image, server } = file.postgres;
    let postgres = Postgres { version, database: database.into_inner(), image, server };
    Some(Manifest { program: file.program, postgres, apps })
}

/// A name that needs no quotes in SQL and is the same on every file system.
pub(crate) fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.len() <= LONGEST_NAME
}

/// A circle of `depends-on`, as `a → b → a`, with the place of its first edge.
fn circle(apps: &[Entry], names: &[&str]) -> Option<(usize, String)> {
    // Apps that wait for none but those taken away already can't be part of one.
    let mut left: Vec<usize> = (0..apps.len()).collect();
    let edge = |app: usize, left: &[usize]| {
        let dependencies = apps[app].depends_on.iter();
        dependencies
            .filter_map(|it| Some((names.iter().position(|name| name == it.as_ref())?, it.span().start)))
            .find(
                // An app that depends on itself is told apart.
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
    // Each of the rest waits for another of them, so walking on must come round.
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
