//! A project, as its files describe it: apps, migrations in their one order, seeds. `reader` loads it.

use std::{collections::BTreeSet, mem};

use crate::{
    App, Down, Error, FileName, Irreversible, MigrationId, Naming, Place, Postgres, Reason, Script,
    nearest::closest, sqlx_toml::STOCK_LEDGER,
};

/// A dependency on another migration, from a line in the head of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependency {
    /// The migration that must come first.
    pub on: MigrationId,
    /// What the line allows.
    pub kind: DependencyKind,
    /// The line.
    pub place: Place,
}

/// What a dependency on another migration allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyKind {
    /// `-- depends-on:`. The SQL may touch tables of the other app, so the manifest must list that app.
    DependsOn,
    /// `-- after:`. It only orders the two, and may run against the manifest: a table is dropped after the key of another
    /// app that referred to it.
    After,
}

/// One numbered step of an app.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Migration {
    /// Its identity.
    pub id: MigrationId,
    /// Its number, which is sqlx's version.
    pub number: i64,
    /// The way forward.
    pub up: Script,
    /// The way back.
    pub down: Down,
    /// The migrations that its head names.
    pub depends_on: Vec<Dependency>,
    /// Whether it is at or before its app's baseline.
    pub is_history: bool,
    /// Position of its app in [`Project::apps`].
    pub(crate) app: usize,
    /// The migrations that come before it.
    pub(crate) parents: Vec<Parent>,
    /// Its row in sqlx's ledger.
    pub(crate) recorded: sqlx::migrate::Migration,
}

/// A migration that comes before another.
#[derive(Debug, Clone)]
pub(crate) struct Parent {
    /// Position in [`Project::migrations`].
    pub(crate) index: usize,
    /// Why it comes first.
    pub(crate) reason: Reason,
}

impl DependencyKind {
    /// All of them.
    pub const ALL: [DependencyKind; 2] = [DependencyKind::DependsOn, DependencyKind::After];

    /// The beginning of such a line; a migration's name follows it.
    pub fn directive(self) -> &'static str {
        match self {
            DependencyKind::DependsOn => "-- depends-on:",
            DependencyKind::After => "-- after:",
        }
    }
}

impl Migration {
    /// Why it can't be reverted, if it can't.
    pub fn irreversible(&self) -> Option<&Irreversible> {
        match &self.down {
            Down::Script(_) => None,
            Down::Irreversible(line) => Some(line),
        }
    }

    /// sqlx's description: its name without the number, with spaces.
    pub fn description(&self) -> &str {
        &self.recorded.description
    }

    /// SHA-384 of the up file's bytes, as sqlx records it.
    pub fn checksum(&self) -> &[u8] {
        &self.recorded.checksum
    }
}

/// The reference data of an app.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Seed {
    /// The app.
    pub app: String,
    /// Its `seed.sql`.
    pub script: Script,
}

/// What the tables of an app should be, in plain SQL.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SchemaFile {
    /// The app.
    pub app: String,
    /// Its `schema.sql`.
    pub script: Script,
}

/// A set of apps with their migrations and seeds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Project {
    /// The manifest's folder, as people type it: `migrations`.
    pub folder: String,
    /// The cargo package of the program that a deploy runs, for tools that build and run it.
    pub program: Option<String>,
    /// The manifest's section on Postgres.
    pub postgres: Postgres,
    /// The apps, in the manifest's order.
    pub apps: Vec<App>,
    /// Every migration, in the order in which they run.
    pub migrations: Vec<Migration>,
    /// The seeds, in the manifest's order of apps.
    pub seeds: Vec<Seed>,
    /// The schema files, in the manifest's order of apps. Nothing here runs them.
    pub schema_files: Vec<SchemaFile>,
    /// What the migrations make, as the text in [`Postgres::text_file`]: in a program that has it embedded.
    pub schema_text: Option<String>,
    /// The commands that messages name.
    pub commands: Commands,
    /// The projects of the manifest's other databases. Nothing of them is in this one, and each has no others itself.
    pub others: Vec<Project>,
}

/// The commands that messages name. They differ from program to program.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Commands {
    /// Runs SQL on the database; the SQL follows it as one argument.
    pub sql: String,
    /// The tool of a developer, whose verb follows it; `None` where a program has to do without it.
    pub tool: Option<String>,
}

impl Default for Commands {
    fn default() -> Self {
        Commands { sql: "psql \"$DATABASE_URL\" --command".to_owned(), tool: None }
    }
}

impl Commands {
    /// The command that runs this SQL.
    pub(crate) fn sql(&self, sql: &str) -> String {
        format!("{} \"{sql}\"", self.sql)
    }

    /// A line for a message with a command of the developer's tool, or nothing without that.
    pub(crate) fn tool(&self, label: &str, verb: &str) -> Option<String> {
        self.tool.as_ref().map(|tool| format!("{label} {tool} {verb}"))
    }
}

impl Project {
    /// This project and the projects of the other databases.
    pub fn databases(&self) -> impl Iterator<Item = &Project> {
        [self].into_iter().chain(&self.others)
    }

    /// The project of another database of the manifest, with this one among its others.
    ///
    /// # Errors
    /// [`Error::UnknownDatabase`].
    pub fn in_database(mut self, name: &str) -> Result<Project, Error> {
        let postgres = self.postgres.clone().in_database(name)?;
        let Some(found) = self.others.iter().position(|other| other.postgres.database == name) else {
            return Ok(Project { postgres, ..self });
        };
        let mut project = self.others.remove(found);
        project.commands = self.commands.clone();
        project.others = mem::take(&mut self.others);
        project.others.insert(0, self);
        Ok(project)
    }

    /// The app of this name.
    ///
    /// # Errors
    /// [`Error::InOtherDatabase`]; [`Error::UnknownApp`], with the most similar name.
    pub fn app(&self, name: &str) -> Result<&App, Error> {
        let has = |project: &'_ Project| project.apps.iter().position(|app| app.name == name);
        if let Some(index) = has(self) {
            return Ok(&self.apps[index]);
        }
        let name = name.to_owned();
        Err(match self.others.iter().find(|other| has(other).is_some()) {
            Some(other) => Error::InOtherDatabase { app: name, database: other.postgres.database.clone() },
            None => Error::UnknownApp { name, apps: self.apps.iter().map(|app| app.name.clone()).collect() },
        })
    }

    /// The migrations of one app, by number.
    pub fn migrations_of<'p>(&'p self, app: &str) -> impl Iterator<Item = &'p Migration> {
        self.migrations.iter().filter(move |migration| migration.id.app == app)
    }

    /// The migrations up to the baselines, which are not judged, and those after them. The order of all keeps them apart.
    pub fn history(&self) -> (&[Migration], &[Migration]) {
        self.migrations.split_at(self.migrations.partition_point(|migration| migration.is_history))
    }

    /// How the migrations of an app are named.
    pub fn naming(&self, app: &App) -> Naming {
        let of_app = || self.migrations_of(&app.name);
        let downs = of_app().filter_map(|migration| migration.down.script());
        let paths = of_app().map(|migration| &migration.up).chain(downs).map(|script| script.path.as_str());
        let names = paths.map(|path| path.rsplit('/').next().unwrap_or_default());
        Naming::new(app, &names.filter_map(FileName::parse).collect::<Vec<_>>())
    }

    /// The migration of an app by its name, or by the beginning of its name, such as its number.
    ///
    /// # Errors
    /// [`Error::UnknownApp`], [`Error::UnknownMigration`], or [`Error::AmbiguousMigration`] if several begin like this.
    pub fn migration(&self, app: &str, name: &str) -> Result<&Migration, Error> {
        let app = self.app(app)?;
        let number: Option<i64> = name.parse().ok();
        if let Some(migration) = self.migrations_of(&app.name).find(|m| Some(m.number) == number) {
            return Ok(migration);
        }
        let all: Vec<&Migration> = self.migrations_of(&app.name).collect();
        let matching: Vec<&Migration> =
            all.iter().copied().filter(|m| !name.is_empty() && m.id.name.starts_with(name)).collect();
        let exact = matching.iter().find(|m| m.id.name == name);
        let names = |of: &[&Migration]| of.iter().map(|m| m.id.name.clone()).collect();
        let (app, name) = (app.name.clone(), name.to_owned());
        match (exact, matching.as_slice()) {
            (Some(migration), _) | (None, [migration]) => Ok(migration),
            (None, []) => Err(Error::UnknownMigration { app, name, names: names(&all) }),
            (None, several) => Err(Error::AmbiguousMigration { app, name, names: names(several) }),
        }
    }

    /// The app or table whose name is most similar to a word that names neither, for the error about that word.
    pub fn similar_name(&self, word: &str) -> Option<&str> {
        let apps = self.apps.iter().map(|app| app.name.as_str());
        let tables = self.apps.iter().flat_map(|app| app.tables.iter().map(String::as_str));
        closest(word, &apps.chain(tables).collect::<Vec<_>>())
    }

    /// The schemas that hold ledger tables and nothing else, each once.
    pub fn ledger_schemas(&self) -> Vec<&str> {
        let tables = self.apps.iter().filter_map(|app| app.ledger.split_once('.'));
        // A table with sqlx's own name is in the schema of the tables that its migrations make.
        let own = tables
            .filter(|(schema, table)| *schema != "public" && !STOCK_LEDGER.ends_with(&format!(".{table}")));
        own.map(|(schema, _)| schema).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What a database holds besides its schema: the schemas of the ledgers, and ledgers that are elsewhere. One that sqlx
    /// made by default may be left over.
    pub fn left_out(&self) -> Vec<&str> {
        let mut left_out = self.ledger_schemas();
        left_out.extend(self.apps.iter().map(|app| app.ledger.as_str()).chain([STOCK_LEDGER]));
        left_out
    }
}
