//! Schemas of which it is known which app made each object: as the migrations make them, and as the schema files say.

use std::collections::{HashMap, HashSet};

use ::tests::scratch::Scratch;
use anyhow::bail;
use catalogue::{Address, Catalogue, Kind};
use diff::Rename;
use migrations::{Error, MigrationId, Project, Session, Target, schema::Reader, sqlstate};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::throwaway::{
    foreign_keys::cut_foreign_keys,
    loaded::{Statement, connect, split, words},
};

/// Who made an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maker {
    /// The app, by its position in the manifest.
    pub(crate) app: usize,
    /// The migration; `None` if a schema file made it.
    pub(crate) migration: Option<MigrationId>,
}

/// A schema with the makers of its objects.
pub(crate) struct Owned {
    pub(crate) schema: Catalogue,
    makers: HashMap<Address, Maker>,
}

impl Owned {
    fn new(schema: Catalogue) -> Owned {
        Owned { schema, makers: HashMap::new() }
    }

    /// Who made an object, or else the whole that it is a part of. `None`: it was there from the beginning.
    pub(crate) fn maker(&self, address: &Address) -> Option<&Maker> {
        let whole = || self.schema.table_of(address).and_then(|table| self.makers.get(&table.address));
        self.makers.get(address).or_else(whole)
    }

    /// The same after renames, which made this schema.
    pub(crate) fn renamed(&self, schema: Catalogue, renames: &[Rename]) -> Owned {
        let new_name = |mut address: Address| {
            let of_table = |it: &&Rename| (&it.schema, &it.name) == (&address.schema, &address.name);
            let (mut name, mut part) = (None, None);
            for Rename { column, to, .. } in renames.iter().filter(of_table) {
                match column {
                    None => name = Some(to.clone()),
                    Some(column) if address.kind == Kind::Column && address.part == *column => {
                        part = Some(to.clone());
                    }
                    Some(_) => {}
                }
            }
            address.name = name.unwrap_or(address.name);
            address.part = part.unwrap_or(address.part);
            address
        };
        let makers = self.makers.iter().map(|(address, maker)| (new_name(address.clone()), maker.clone()));
        Owned { schema, makers: makers.collect() }
    }

    /// Takes the schema that a maker has changed.
    fn advance(&mut self, schema: Catalogue, maker: &Maker) {
        let now: HashSet<&Address> = schema.objects().map(|object| &object.address).collect();
        self.makers.retain(|address, _| now.contains(address));
        for address in now {
            if self.schema.get(address).is_none() {
                self.makers.insert(address.clone(), maker.clone());
            }
        }
        self.schema = schema;
    }
}

/// Applies all migrations of a project to an empty database, and reads what each app's make.
pub(crate) async fn replay(
    project: &Project,
    session: &mut Session,
    reader: &mut Reader,
) -> anyhow::Result<Owned> {
    let mut owned = Owned::new(reader.read().await?);
    let mut migrations = project.migrations.iter().peekable();
    while let Some(migration) = migrations.next() {
        if migrations.peek().is_some_and(|next| next.id.app == migration.id.app) {
            continue;
        }
        session.migrate(project, &Target::Migration(migration.id.clone()), &mut |_| {}).await?;
        let app = position(project, &migration.id.app);
        owned.advance(reader.read().await?, &Maker { app, migration: Some(migration.id.clone()) });
    }
    Ok(owned)
}

/// The position of an app in the manifest.
pub(crate) fn position(project: &Project, name: &str) -> usize {
    project.apps.iter().position(|app| app.name == name).unwrap_or_default()
}

/// Loads the schema files of a project into an empty database. An app without one has what its migrations make.
pub(crate) async fn load(project: &Project, migrated: &Owned, scratch: &Scratch) -> anyhow::Result<Owned> {
    let mut conn = connect(scratch).await?;
    let mut reader = Reader::connect(&scratch.options(), &[]).await?;
    let mut owned = Owned::new(reader.read().await?);
    let mut waiting = statements(project, migrated, &owned.schema)?;
    let prepare = "set check_function_bodies = off";
    let prepared = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut conn).await;
    prepared.map_err(Error::database("prepare a throwaway database"))?;
    let mut cut = Cut::Nothing;
    while waiting.iter().any(|statements| !statements.is_empty()) {
        let (mut ran, mut reasons) = (false, Vec::new());
        for (app, statements) in waiting.iter_mut().enumerate() {
            let before = statements.len();
            for statement in std::mem::take(statements) {
                match statement.run(&mut conn).await {
                    Ok(()) => {}
                    Err(error) if is_shared(&statement, &error) => {}
                    Err(error) if exists(&error) => {
                        return Err(twice(project, &owned, app, &statement, &error));
                    }
                    Err(error) => {
                        reasons.push(format!("  {}: {}", statement.place, words(&error)));
                        statements.push(statement);
                    }
                }
            }
            if statements.len() < before {
                ran = true;
                owned.advance(reader.read().await?, &Maker { app, migration: None });
            }
        }
        if ran {
            continue;
        }
        if let Cut::ForeignKeys = cut {
            bail!(
                "the schema files do not load in any order; each statement below waits for something\n{}",
                reasons.join("\n")
            );
        }
        cut = Cut::ForeignKeys;
        waiting.iter_mut().for_each(cut_all);
    }
    reader.close().await;
    conn.close().await.map_err(Error::database("close the connection"))?;
    Ok(owned)
}

/// What was taken out of statements that load in no order.
enum Cut {
    Nothing,
    ForeignKeys,
}

fn cut_all(statements: &mut Vec<Statement>) {
    let all = std::mem::take(statements).into_iter();
    statements.extend(all.flat_map(|statement| {
        let place = statement.place;
        cut_foreign_keys(&statement.sql).into_iter().map(move |sql| Statement { place: place.clone(), sql })
    }));
}

/// The statements of each app: of its schema file, or those that make what its migrations made.
fn statements(project: &Project, migrated: &Owned, empty: &Catalogue) -> anyhow::Result<Vec<Vec<Statement>>> {
    let mut all: Vec<Vec<Statement>> = project.apps.iter().map(|_| Vec::new()).collect();
    let mut has_file = vec![false; all.len()];
    for file in &project.schema_files {
        let app = position(project, &file.app);
        has_file[app] = true;
        all[app] = split(&file.script.path, &file.script.text);
    }
    if has_file.iter().all(|has| *has) {
        return Ok(all);
    }
    let owner = |address: &Address, _: diff::Change| migrated.maker(address).map_or(0, |maker| maker.app);
    for part in diff::diff_by_owner(empty, &migrated.schema, owner)? {
        if has_file[part.owner] {
            continue;
        }
        let place = format!("the migrations of app `{}`", project.apps[part.owner].name);
        let statements = part.script.statements.into_iter();
        all[part.owner].extend(statements.map(|it| Statement { place: place.clone(), sql: it.sql }));
    }
    Ok(all)
}

/// Whether a statement makes what several files may make: a schema or an extension.
fn is_shared(statement: &Statement, error: &sqlx::Error) -> bool {
    let makes_extension = || {
        let mut words = statement.sql.split_whitespace().map(str::to_ascii_lowercase);
        words.next().as_deref() == Some("create") && words.next().as_deref() == Some("extension")
    };
    sqlstate::is(error, "42P06") || (sqlstate::is(error, "42710") && makes_extension())
}

/// Whether an error says that there is already an object of this name.
fn exists(error: &sqlx::Error) -> bool {
    // A relation, an object of another kind, a function, a column.
    ["42P07", "42710", "42723", "42701"].iter().any(|code| sqlstate::is(error, code))
}

/// The error for an object in two files.
fn twice(
    project: &Project,
    owned: &Owned,
    app: usize,
    statement: &Statement,
    error: &sqlx::Error,
) -> anyhow::Error {
    let message = words(error);
    let quoted = message.split('"').nth(1).unwrap_or_default();
    let maker = owned.makers.iter().find(|(address, _)| address.name == quoted || address.part == quoted);
    let other = maker.map(|(_, maker)| maker.app).unwrap_or(app);
    let files = project.schema_files.iter();
    let file = files.clone().find(|file| file.app == project.apps[other].name);
    let file =
        file.map_or_else(|| format!("app `{}`", project.apps[other].name), |file| file.script.path.clone());
    anyhow::anyhow!(
        "{}: {message}\n  {file} makes it already; an object belongs to one file",
        statement.place
    )
}
