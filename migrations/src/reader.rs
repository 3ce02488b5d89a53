//! Loads a project from its files. Refuses whatever could go wrong later, and reports all of it at once.

use std::{collections::BTreeMap, path::Path};

use crate::{
    App, Cycle, Dependency, DependencyKind, Error, Migration, MigrationId, Place, Postgres, Problem, Project,
    Reason, SchemaFile, Seed, SourceFile,
    app_files::{AppFiles, SCHEMA, SEED},
    graph, manifest,
    nearest::closest,
    project::{Commands, Parent},
    source::{self, MANIFEST, shown},
    sqlx_toml,
};

impl Project {
    /// Reads a migrations folder: `apps.toml`, and one folder for each app. The project has the apps of the
    /// main database; its `others` have the rest.
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

    /// The project of the same database, as other files of the same folder describe it.
    ///
    /// # Errors
    /// As [`Project::from_files`], and [`Error::UnknownDatabase`].
    pub fn with_files(&self, files: Vec<SourceFile>) -> Result<Project, Error> {
        Project::from_files(&self.folder, files)?.in_database(&self.postgres.database)
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

/// The common state of all steps.
struct Reader<'r> {
    shown: &'r str,
    problems: &'r mut Vec<Problem>,
}

/// The text of each file of one folder, by name.
type Folder = BTreeMap<String, Option<String>>;

/// The apps of one database.
struct Part<'m> {
    program: Option<String>,
    postgres: Postgres,
    apps: Vec<App>,
    /// The database of each app of the manifest.
    databases: &'m BTreeMap<String, String>,
    schema_text: Option<String>,
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
        let (mut text, mut schema_texts) = (None, Folder::new());
        for file in files {
            if file.path == MANIFEST {
                text = file.text;
            } else if !file.path.contains('/') {
                schema_texts.insert(file.path, file.text);
            } else if let Some((app, name)) = file.path.split_once('/') {
                folders.entry(app.to_owned()).or_default().insert(name.to_owned(), file.text);
            }
        }
        let Some(text) = self.manifest(text) else { return Ok(None) };
        let parsed = manifest::parse(&manifest_path, &text, self.problems);
        let Some(manifest::Manifest { program, postgres, apps }) = parsed else {
            return Ok(None);
        };

        for name in folders.keys().filter(|name| !apps.iter().any(|app| &app.name == *name)) {
            let folder = format!("{}/{name}/", self.shown);
            self.problems.push(Problem::NoEntry { folder, manifest: manifest.clone() });
        }
        let databases = apps.iter().map(|app| (app.name.clone(), app.database.clone())).collect();
        let names = [postgres.main.clone()].into_iter().chain(postgres.others.clone());
        let mut projects = Vec::new();
        for database in names {
            let apps = apps.iter().filter(|app| app.database == database).cloned().collect();
            let postgres = Postgres { database, ..postgres.clone() };
            let schema_text = schema_texts.remove(&postgres.text_file()).flatten();
            let part = Part { program: program.clone(), postgres, apps, databases: &databases, schema_text };
            projects.push(self.part(part, &mut folders, &manifest)?);
        }
        let mut main = projects.remove(0);
        main.others = projects;
        Ok(Some(main))
    }

    /// The project of one database.
    fn part(
        &mut self,
        part: Part<'_>,
        folders: &mut BTreeMap<String, Folder>,
        manifest: &Place,
    ) -> Result<Project, Error> {
        let Part { program, postgres, mut apps, databases, schema_text } = part;
        let mut migrations = Vec::new();
        let (mut seeds, mut schema_files) = (Vec::new(), Vec::new());
        for (index, app) in apps.iter_mut().enumerate() {
            let Some(folder) = folders.remove(&app.name) else {
                let (app, folder) = (app.name.clone(), format!("{}/", app.folder));
                self.problems.push(Problem::NoFolder { manifest: manifest.clone(), app, folder });
                continue;
            };
            let files = AppFiles::new(app, &folder, self.problems);
            let ledger = sqlx_toml::ledger_table(app, files.sqlx_toml(), self.problems);
            let seed = files.script_of(SEED, self.problems);
            seeds.extend(seed.map(|script| Seed { app: app.name.clone(), script }));
            let schema_file = files.script_of(SCHEMA, self.problems);
            schema_files.extend(schema_file.map(|script| SchemaFile { app: app.name.clone(), script }));
            migrations.extend(files.migrations(index, self.problems));
            app.ledger = ledger.unwrap_or_default();
        }
        for (index, app) in apps.iter().enumerate().filter(|(_, app)| !app.ledger.is_empty()) {
            if let Some(twin) = apps[..index].iter().find(|other| other.ledger == app.ledger) {
                let own = |app: &App| format!("migrations.{}", app.name);
                let moved = if app.ledger == own(app) { twin } else { app };
                let message = format!(
                    "apps `{}` and `{}` have one ledger, {}, in which each would find the other's migrations; give `{}` its own, \
                     beside its name: ledger = \"{}\"",
                    twin.name,
                    app.name,
                    app.ledger,
                    moved.name,
                    own(moved)
                );
                self.problems.push(Problem::Manifest { place: manifest.clone(), message });
            }
        }

        let against = self.link(&apps, databases, &mut migrations, manifest);
        self.history(&migrations, &apps);
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
        Ok(Project {
            folder: self.shown.to_owned(),
            program,
            postgres,
            apps,
            migrations,
            seeds,
            schema_files,
            schema_text,
            commands,
            others: Vec::new(),
        })
    }

    /// Refuses a history that needs what comes after a baseline: databases that have the one have the other.
    fn history(&mut self, migrations: &[Migration], apps: &[App]) {
        for migration in migrations.iter().filter(|migration| migration.is_history) {
            let parents = migration.parents.iter().map(|parent| &migrations[parent.index]);
            for later in parents.filter(|parent| !parent.is_history) {
                let app = &apps[later.app].name;
                let message = format!(
                    "it is not after its app's baseline, and needs {}, which is after the baseline of `{app}`; write `baseline = \"{}\"` for `{app}` in apps.toml",
                    later.id, later.id.name
                );
                self.problems.push(Problem::Head { place: Place::file(&migration.up.path), message });
            }
        }
    }

    /// Fills in each migration's parents, and returns the edges that go against the manifest's direction.
    fn link(
        &mut self,
        apps: &[App],
        databases: &BTreeMap<String, String>,
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
                if let Some(other) = databases.get(&on.app).filter(|other| **other != app.database) {
                    let message = format!(
                        "{on} is in database `{other}`, and {} in `{}`; a migration can depend only on migrations of its own database",
                        migrations[here].id, app.database
                    );
                    self.problems.push(Problem::Head { place: place.clone(), message });
                    continue;
                }
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
