//! All that the files say: apps, migrations in their one order, seeds. Loading refuses whatever could go wrong later.

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

use sqlx::migrate::MigrationType;

use crate::{
    App, Cycle, Error, Place, Postgres, Problem, Reason, Script, SourceFile,
    error::closest,
    graph, head,
    manifest::{self, is_plain},
    source, sqlx_toml, statements,
};

/// Name of an app's seed file.
const SEED: &str = "seed.sql";
/// SQL files of an app that are no migrations.
const OTHER_SQL: &[&str] = &[SEED, "schema.sql"];

/// A migration's identity: `users/0001_initial`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MigrationId {
    /// The app.
    pub app: String,
    /// Number and name: `0001_initial`.
    pub name: String,
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.name)
    }
}

impl FromStr for MigrationId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (app, name) = text.split_once('/').ok_or(())?;
        let valid = is_plain(app) && number_of(name).is_some();
        if valid { Ok(MigrationId { app: app.to_owned(), name: name.to_owned() }) } else { Err(()) }
    }
}

/// A dependency on another migration that a head names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The migration that must come first.
    pub on: MigrationId,
    /// Where the head says so.
    pub place: Place,
}

/// One numbered step of an app.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its identity.
    pub id: MigrationId,
    /// Its number, which is sqlx's version.
    pub number: i64,
    /// The way forward.
    pub up: Script,
    /// The way back.
    pub down: Script,
    /// What its head names.
    pub depends_on: Vec<Dependency>,
    /// Position of its app in [`Project::apps`].
    pub(crate) app: usize,
    /// Positions of the migrations that come before it, each with the reason.
    pub(crate) parents: Vec<(usize, Reason)>,
    /// What sqlx records of it.
    pub(crate) recorded: sqlx::migrate::Migration,
}

impl Migration {
    /// SHA-384 of the up file's bytes, as sqlx records it.
    pub fn checksum(&self) -> &[u8] {
        &self.recorded.checksum
    }
}

/// A set of apps with their migrations and seeds.
#[derive(Debug, Clone)]
pub struct Project {
    /// What the manifest says of Postgres.
    pub postgres: Postgres,
    /// The apps, in the manifest's order.
    pub apps: Vec<App>,
    /// Every migration, in the order in which they run.
    pub migrations: Vec<Migration>,
    /// The seeds, each with its app's name, in the manifest's order.
    pub seeds: Vec<(String, Script)>,
}

impl Project {
    /// Reads a migrations folder: `apps.toml`, and a folder an app.
    ///
    /// # Errors
    /// [`Error::Files`] with every problem there is, [`Error::Cycle`], or [`Error::Read`].
    pub fn load(folder: &Path) -> Result<Project, Error> {
        let shown = folder
            .file_name()
            .map_or_else(|| "migrations".into(), |name| name.to_string_lossy().into_owned());
        Project::from_files(&shown, source::read_folder(folder)?)
    }

    /// The same from texts, as a program has them that carries its migrations inside. `shown` is the folder's name in
    /// messages.
    ///
    /// # Errors
    /// As [`Project::load`].
    pub fn from_files(shown: &str, files: Vec<SourceFile>) -> Result<Project, Error> {
        let mut problems = Vec::new();
        let project = Reader { shown, problems: &mut problems }.project(files)?;
        match project {
            Some(project) if problems.is_empty() => Ok(project),
            _ => Err(Error::Files(problems)),
        }
    }

    /// The app of this name.
    ///
    /// # Errors
    /// [`Error::UnknownApp`], with the nearest name.
    pub fn app(&self, name: &str) -> Result<&App, Error> {
        let names = || self.apps.iter().map(|app| app.name.clone()).collect();
        let found = self.apps.iter().find(|app| app.name == name);
        found.ok_or_else(|| Error::UnknownApp { name: name.to_owned(), apps: names() })
    }

    /// The migrations of one app, by number.
    pub fn migrations_of<'p>(&'p self, app: &str) -> impl Iterator<Item = &'p Migration> {
        self.migrations.iter().filter(move |migration| migration.id.app == app)
    }

    /// The migration of an app that a person means by `0002`, `0002_add` or the whole name.
    ///
    /// # Errors
    /// [`Error::UnknownApp`], or [`Error::UnknownMigration`] where none or several match.
    pub fn migration(&self, app: &str, name: &str) -> Result<&Migration, Error> {
        let app = self.app(app)?;
        let matching: Vec<&Migration> =
            self.migrations_of(&app.name).filter(|m| m.id.name.starts_with(name)).collect();
        let exact = matching.iter().find(|m| m.id.name == name);
        match exact.or(matching.first()) {
            Some(migration) if !name.is_empty() && (exact.is_some() || matching.len() == 1) => Ok(migration),
            _ => Err(Error::UnknownMigration {
                app: app.name.clone(),
                name: name.to_owned(),
                ambiguous: matching.len() > 1,
                names: self.migrations_of(&app.name).map(|m| m.id.name.clone()).collect(),
            }),
        }
    }

    /// The schemas of the ledger, each once.
    pub fn ledger_schemas(&self) -> Vec<&str> {
        let mut schemas: Vec<&str> =
            self.apps.iter().filter_map(|app| app.ledger.split_once('.')).map(|(s, _)| s).collect();
        schemas.sort_unstable();
        schemas.dedup();
        schemas
    }
}

/// The number of a migration's name, if it is one: four digits, `_`, and lower-case letters, digits and `_`.
fn number_of(name: &str) -> Option<i64> {
    let (digits, rest) = name.split_once('_')?;
    let named =
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let numbered = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_digit());
    if named && numbered { digits.parse().ok().filter(|&number| number > 0) } else { None }
}

/// Turns files into a project, noting every problem on the way.
struct Reader<'r> {
    shown: &'r str,
    problems: &'r mut Vec<Problem>,
}

/// The files of one app, by name.
#[derive(Default)]
struct Folder {
    texts: BTreeMap<String, String>,
}

impl Reader<'_> {
    fn path(&self, inner: &str) -> String {
        format!("{}/{inner}", self.shown)
    }

    fn project(&mut self, files: Vec<SourceFile>) -> Result<Option<Project>, Error> {
        let manifest_path = self.path(manifest::FILE);
        let manifest = Place::file(&manifest_path);
        let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
        let mut text = None;
        for file in files {
            if file.path == manifest::FILE {
                text = file.text;
            } else if let Some((app, name)) = file.path.split_once('/') {
                let folder = folders.entry(app.to_owned()).or_default();
                self.file_of_app(folder, app, name, file.text);
            }
        }
        let Some(text) = text else {
            let message = "missing or not UTF-8; it lists the apps, see CONTRIBUTING.md".to_owned();
            self.problems.push(Problem::Manifest { place: manifest, message });
            return Ok(None);
        };
        let Some((postgres, mut apps)) = manifest::parse(&manifest_path, &text, self.problems) else {
            return Ok(None);
        };

        for name in folders.keys().filter(|name| !apps.iter().any(|app| &app.name == *name)) {
            let folder = format!("{}/{name}/", self.shown);
            self.problems.push(Problem::NoEntry { folder, manifest: manifest.clone() });
        }
        let mut migrations = Vec::new();
        let mut seeds = Vec::new();
        for (index, app) in apps.iter_mut().enumerate() {
            let Some(folder) = folders.remove(&app.name) else {
                let (app, folder) = (app.name.clone(), format!("{}/{}/", self.shown, app.name));
                self.problems.push(Problem::NoFolder { manifest: manifest.clone(), app, folder });
                continue;
            };
            let path = self.path(&format!("{}/{}", app.name, sqlx_toml::FILE));
            let text = folder.texts.get(sqlx_toml::FILE).map(String::as_str);
            app.ledger = sqlx_toml::ledger_table(&app.name, &path, text, self.problems).unwrap_or_default();
            if let Some(text) = folder.texts.get(SEED) {
                seeds.push((app.name.clone(), self.script(&app.name, SEED, text)));
            }
            migrations.extend(self.migrations_of(index, &app.name, &folder));
        }
        for (index, app) in apps.iter().enumerate() {
            let twin =
                apps[..index].iter().find(|other| other.ledger == app.ledger && !app.ledger.is_empty());
            if let Some(twin) = twin {
                let message = format!(
                    "`table-name` is the same as that of app `{}`; each app needs its own",
                    twin.name
                );
                let place = Place::file(self.path(&format!("{}/{}", app.name, sqlx_toml::FILE)));
                self.problems.push(Problem::SqlxToml { place, message });
            }
        }

        let against = self.link(&apps, &mut migrations, &manifest);
        let order = graph::order(&migrations).map_err(|edges| {
            // A circle is told before the plain list of what is wrong: it explains the rest.
            let against = edges
                .iter()
                .find(|edge| against.iter().any(|(from, to)| (from, to) == (&edge.from, &edge.to)))
                .cloned();
            Error::Cycle(Box::new(Cycle { edges, against }))
        })?;
        let mut position = vec![0; order.len()];
        for (place, &index) in order.iter().enumerate() {
            position[index] = place;
        }
        let mut sorted: Vec<Migration> = order.iter().map(|&index| migrations[index].clone()).collect();
        for (parent, _) in sorted.iter_mut().flat_map(|migration| &mut migration.parents) {
            *parent = position[*parent];
        }
        Ok(Some(Project { postgres, apps, migrations: sorted, seeds }))
    }

    /// Checks one name, and keeps the text of what we read.
    fn file_of_app(&mut self, folder: &mut Folder, app: &str, name: &str, text: Option<String>) {
        let place = Place::file(self.path(&format!("{app}/{name}")));
        let mut wrong = |remedy: &str| {
            self.problems.push(Problem::Name { place: place.clone(), remedy: remedy.to_owned() });
        };
        let is_sql = name.to_ascii_lowercase().ends_with(".sql");
        let is_migration = ["up", "down"].iter().any(|direction| {
            name.strip_suffix(&format!(".{direction}.sql")).is_some_and(|stem| number_of(stem).is_some())
        });
        if name.is_empty() {
            // The folder itself.
        } else if name.ends_with('/') {
            if !name.starts_with('.') {
                wrong("move its files up, or the folder elsewhere");
            }
        } else if !is_migration
            && !OTHER_SQL.contains(&name)
            && (is_sql || name.starts_with(|c: char| c.is_ascii_digit()))
        {
            wrong("rename it to NNNN_name.up.sql or NNNN_name.down.sql, in lower case, or move it elsewhere");
        } else if is_sql || name == sqlx_toml::FILE {
            match text {
                Some(text) if text.starts_with('\u{feff}') => {
                    wrong("remove the byte-order mark at its start");
                }
                Some(text) => {
                    folder.texts.insert(name.to_owned(), text);
                }
                None => wrong("save it as UTF-8"),
            }
        }
    }

    fn script(&self, app: &str, name: &str, text: &str) -> Script {
        Script { path: self.path(&format!("{app}/{name}")), text: text.to_owned(), no_transaction: false }
    }

    /// The migrations of one app, by number.
    fn migrations_of(&mut self, app_index: usize, app: &str, folder: &Folder) -> Vec<Migration> {
        let mut found: Vec<Migration> = Vec::new();
        let shown = self.path(app);
        for (file, text) in &folder.texts {
            let place = || Place::file(format!("{shown}/{file}"));
            let Some((name, direction)) = file.strip_suffix(".sql").and_then(|stem| stem.rsplit_once('.'))
            else {
                continue;
            };
            let other = if direction == "up" { "down" } else { "up" };
            let missing = format!("{name}.{other}.sql");
            let Some(other_text) = folder.texts.get(&missing) else {
                self.problems.push(Problem::HalfPair { place: place(), missing });
                continue;
            };
            let Some(number) = number_of(name).filter(|_| direction == "up") else { continue };

            let previous = found.last().map_or(0, |migration| migration.number);
            if number == previous {
                let other = found[found.len() - 1].up.path.clone();
                self.problems.push(Problem::DuplicateNumber { place: place(), number, other });
            } else if number != previous + 1 {
                self.problems.push(Problem::Gap { place: place(), previous });
            }
            let mut up = self.script(app, file, text);
            let mut down = self.script(app, &missing, other_text);
            let head = head::parse(&up.path, text, self.problems);
            up.no_transaction = head.no_transaction;
            let down_head = head::parse(&down.path, other_text, self.problems);
            down.no_transaction = down_head.no_transaction;
            for (_, line) in down_head.depends_on {
                let message =
                    "`-- depends-on:` belongs into the up file; the way back follows from it".to_owned();
                self.problems.push(Problem::Head { place: Place::line(&down.path, line), message });
            }
            for script in [&up, &down] {
                self.refuse_transaction_control(script);
            }
            let depends_on = head
                .depends_on
                .into_iter()
                .map(|(on, line)| Dependency { on, place: Place::line(&up.path, line) });
            // sqlx's own words for a name: what follows the number, with spaces.
            let description = name[5..].replace('_', " ");
            found.push(Migration {
                id: MigrationId { app: app.to_owned(), name: name.to_owned() },
                number,
                depends_on: depends_on.collect(),
                app: app_index,
                parents: Vec::new(),
                recorded: sqlx::migrate::Migration::new(
                    number,
                    description.into(),
                    MigrationType::ReversibleUp,
                    up.sql(),
                    up.no_transaction,
                ),
                up,
                down,
            });
        }
        found
    }

    /// A `commit` inside a migration would keep half of it when the rest fails.
    fn refuse_transaction_control(&mut self, script: &Script) {
        if let Some((word, line)) = statements::transaction_control(&script.text) {
            let message = format!(
                "`{word}` would end the transaction that the runner puts around each migration; remove it, or make the \
                 file one statement under `-- no-transaction`"
            );
            self.problems.push(Problem::Content { place: Place::line(&script.path, line), message });
        }
    }

    /// Fills in each migration's parents, and returns the edges that go against the manifest's direction.
    fn link(
        &mut self,
        apps: &[App],
        migrations: &mut [Migration],
        manifest: &Place,
    ) -> Vec<(MigrationId, MigrationId)> {
        let index: BTreeMap<MigrationId, usize> =
            migrations.iter().enumerate().map(|(index, migration)| (migration.id.clone(), index)).collect();
        let mut against = Vec::new();
        for here in 0..migrations.len() {
            let mut parents = Vec::new();
            if here > 0 && migrations[here - 1].app == migrations[here].app {
                parents.push((here - 1, Reason::Number(Place::file(&migrations[here].up.path))));
            }
            let app = &apps[migrations[here].app];
            for Dependency { on, place } in &migrations[here].depends_on {
                let Some(&parent) = index.get(on) else {
                    let names: Vec<String> = index.keys().map(ToString::to_string).collect();
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    let hint = closest(&on.to_string(), &names).and_then(|name| name.parse().ok());
                    let problem =
                        Problem::UnknownDependency { place: place.clone(), wanted: on.clone(), hint };
                    self.problems.push(problem);
                    continue;
                };
                parents.push((parent, Reason::Head(place.clone())));
                if on.app != app.name && !app.depends_on.contains(&on.app) {
                    against.push((migrations[here].id.clone(), on.clone()));
                    self.problems.push(Problem::Direction {
                        place: place.clone(),
                        app: app.name.clone(),
                        wanted: on.clone(),
                        manifest: manifest.clone(),
                    });
                }
            }
            migrations[here].parents = parents;
        }
        against
    }
}
