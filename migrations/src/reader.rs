//! Loads a project from its files. Refuses whatever could go wrong later, and reports all of it at once.

use std::{collections::BTreeMap, path::Path};

use sqlx::migrate::MigrationType;

use crate::{
    App, Cycle, Dependency, DependencyKind, Error, Migration, MigrationId, Place, Postgres, Problem, Project,
    Reason, SchemaFile, Script, Seed, SourceFile, content,
    down::{self, DownFile},
    graph, head,
    id::number_of,
    manifest,
    nearest::closest,
    project::{Commands, Parent},
    source::{self, MANIFEST},
    sqlx_toml,
};

/// Name of an app's seed file.
const SEED: &str = "seed.sql";
/// Name of an app's schema file.
const SCHEMA: &str = "schema.sql";
/// SQL files of an app that are not migrations.
const OTHER_SQL: &[&str] = &[SEED, SCHEMA];

impl Project {
    /// Reads a migrations folder: `apps.toml`, and one folder for each app.
    ///
    /// # Errors
    /// [`Error::Files`] with every problem there is, [`Error::Cycle`], or [`Error::Read`].
    pub fn load(folder: &Path) -> Result<Project, Error> {
        Project::from_files(&shown(folder), SourceFile::read_folder(folder)?)
    }

    /// The same from texts, in any order. `shown` is the folder's name in messages. A program that carries its migrations
    /// inside uses [`embedded!`](crate::embedded).
    ///
    /// # Errors
    /// As [`Project::load`], except [`Error::Read`].
    pub fn from_files(shown: &str, files: Vec<SourceFile>) -> Result<Project, Error> {
        let mut problems = Vec::new();
        let project = Reader { shown, problems: &mut problems }.project(files)?;
        match project {
            Some(project) if problems.is_empty() => Ok(project),
            _ => Err(Error::Files(problems)),
        }
    }
}

impl Postgres {
    /// Reads what the manifest of a migrations folder says of Postgres, and nothing else.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Files`] with what is wrong in that section.
    pub fn load(folder: &Path) -> Result<Postgres, Error> {
        let file = source::read_manifest(folder)?;
        let mut problems = Vec::new();
        let mut reader = Reader { shown: &shown(folder), problems: &mut problems };
        let path = reader.path(MANIFEST);
        let text = reader.manifest(file.text);
        let postgres = text.and_then(|text| manifest::parse_postgres(&path, &text, reader.problems));
        match postgres {
            Some(postgres) if problems.is_empty() => Ok(postgres),
            _ => Err(Error::Files(problems)),
        }
    }
}

/// The folder's name in messages.
fn shown(folder: &Path) -> String {
    let name = folder.file_name();
    name.map_or_else(|| "migrations".into(), |name| name.to_string_lossy().into_owned())
}

/// The common state of all steps.
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
    /// The text of the manifest; a problem if there is none.
    fn manifest(&mut self, text: Option<String>) -> Option<String> {
        if text.is_none() {
            let message = "missing or not UTF-8; it has a [postgres] section (version, database) and an [[app]] entry for each app \
                           (name, depends-on, tables)"
                .to_owned();
            self.problems.push(Problem::Manifest { place: Place::file(self.path(MANIFEST)), message });
        }
        text
    }

    fn path(&self, inner: &str) -> String {
        format!("{}/{inner}", self.shown)
    }

    fn project(&mut self, files: Vec<SourceFile>) -> Result<Option<Project>, Error> {
        let manifest_path = self.path(MANIFEST);
        let manifest = Place::file(&manifest_path);
        let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
        let mut text = None;
        for file in files {
            if file.path == MANIFEST {
                text = file.text;
            } else if let Some((app, name)) = file.path.split_once('/') {
                let folder = folders.entry(app.to_owned()).or_default();
                self.file_of_app(folder, app, name, file.text);
            }
        }
        let Some(text) = self.manifest(text) else { return Ok(None) };
        let parsed = manifest::parse(&manifest_path, &text, self.problems);
        let Some(manifest::Manifest { program, postgres, mut apps }) = parsed else {
            return Ok(None);
        };

        for name in folders.keys().filter(|name| !apps.iter().any(|app| &app.name == *name)) {
            let folder = format!("{}/{name}/", self.shown);
            self.problems.push(Problem::NoEntry { folder, manifest: manifest.clone() });
        }
        let mut migrations = Vec::new();
        let (mut seeds, mut schema_files) = (Vec::new(), Vec::new());
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
                let seed = self.script(&app.name, SEED, text);
                content::refuse(&seed, self.problems);
                seeds.push(Seed { app: app.name.clone(), script: seed });
            }
            if let Some(text) = folder.texts.get(SCHEMA) {
                let script = self.script(&app.name, SCHEMA, text);
                content::refuse(&script, self.problems);
                schema_files.push(SchemaFile { app: app.name.clone(), script });
            }
            migrations.extend(self.migrations_of(index, &app.name, &folder));
        }
        for (index, app) in apps.iter().enumerate() {
            let twin =
                apps[..index].iter().find(|other| other.ledger == app.ledger && !app.ledger.is_empty());
            if let Some(twin) = twin {
                let message =
                    format!("`table-name` is the same as in app `{}`; each app needs its own", twin.name);
                let place = Place::file(self.path(&format!("{}/{}", app.name, sqlx_toml::FILE)));
                self.problems.push(Problem::SqlxToml { place, message });
            }
        }

        let against = self.link(&apps, &mut migrations, &manifest);
        let order = graph::order(&migrations).map_err(|edges| {
            // A circle is reported instead of the plain list of problems, because it explains them.
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
        for parent in migrations.iter_mut().flat_map(|migration| &mut migration.parents) {
            parent.index = position[parent.index];
        }
        let sorted: BTreeMap<usize, Migration> = position.into_iter().zip(migrations).collect();
        let (migrations, commands) = (sorted.into_values().collect(), Commands::default());
        Ok(Some(Project { program, postgres, apps, migrations, seeds, schema_files, commands }))
    }

    /// Checks the name of one file, and keeps its text if a project reads it.
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
            let remedy = match &text {
                Some(text) if text.contains('\0') => Some("remove the zero byte in it"),
                Some(text) if text.starts_with('\u{feff}') => Some("remove the byte-order mark at its start"),
                Some(_) => None,
                None => Some("save it as UTF-8"),
            };
            if let Some(remedy) = remedy {
                wrong(remedy);
            }
            // A script that can't be read exists all the same, so no error says that it is missing.
            if remedy.is_none() || is_sql {
                let text = text.filter(|_| remedy.is_none()).unwrap_or_default();
                folder.texts.insert(name.to_owned(), text);
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
            if let Some(name) = file.strip_suffix(".down.sql") {
                let missing = format!("{name}.up.sql");
                if !folder.texts.contains_key(&missing) {
                    self.problems.push(Problem::HalfPair { place: place(), missing });
                }
                continue;
            }
            let Some(name) = file.strip_suffix(".up.sql") else { continue };
            let Some(number) = number_of(name) else { continue };

            let previous = found.last().map_or(0, |migration| migration.number);
            if number == previous {
                let other = found[found.len() - 1].up.path.clone();
                self.problems.push(Problem::DuplicateNumber { place: place(), number, other });
            } else if number != previous + 1 {
                self.problems.push(Problem::Gap { place: place(), previous });
            }
            let mut up = self.script(app, file, text);
            let head = head::parse(&up.path, text, self.problems);
            up.no_transaction = head.no_transaction;
            content::refuse(&up, self.problems);
            let down = self.down_file(app, &format!("{name}.down.sql"), folder);
            let down = down::resolve(&up, head.irreversible, down, self.problems);
            // As sqlx describes a migration: what follows the number, with spaces.
            let description = name[5..].replace('_', " ");
            found.push(Migration {
                id: MigrationId { app: app.to_owned(), name: name.to_owned() },
                number,
                depends_on: head.depends_on,
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

    /// The down file of this name, if there is one.
    fn down_file(&mut self, app: &str, name: &str, folder: &Folder) -> Option<DownFile> {
        let text = folder.texts.get(name)?;
        let mut script = self.script(app, name, text);
        let head = head::parse(&script.path, text, self.problems);
        script.no_transaction = head.no_transaction;
        for Dependency { place, kind, .. } in head.depends_on {
            let directive = kind.directive();
            let message =
                format!("`{directive}` belongs in the up file; the order of the down files follows from it");
            self.problems.push(Problem::Head { place, message });
        }
        content::refuse(&script, self.problems);
        Some(DownFile { script, irreversible: head.irreversible })
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
        let names: Vec<String> = index.keys().map(ToString::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut against = Vec::new();
        for here in 0..migrations.len() {
            let mut parents = Vec::new();
            if here > 0 && migrations[here - 1].app == migrations[here].app {
                let reason = Reason::Number(Place::file(&migrations[here].up.path));
                parents.push(Parent { index: here - 1, reason });
            }
            let app = &apps[migrations[here].app];
            for Dependency { on, place, kind } in &migrations[here].depends_on {
                let Some(&parent) = index.get(on) else {
                    let hint = closest(&on.to_string(), &names).and_then(|name| name.parse().ok());
                    let problem =
                        Problem::UnknownDependency { place: place.clone(), wanted: on.clone(), hint };
                    self.problems.push(problem);
                    continue;
                };
                parents.push(Parent { index: parent, reason: Reason::Head(place.clone()) });
                let touches = *kind == DependencyKind::DependsOn;
                if touches && on.app != app.name && !app.depends_on.contains(&on.app) {
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
