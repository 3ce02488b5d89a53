//! Schemas of which it is known which app made each object: as the schema files say.

use ::tests::scratch::Scratch;
use anyhow::bail;
use catalogue::{Address, Catalogue};
use migrations::{Error, Project, schema::Reader, sqlstate, tokens};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::throwaway::{
    foreign_keys::cut_foreign_keys,
    loaded::connect,
    owned::{Maker, Owned, position},
    said::Said,
    statement::{Statement, split, words},
    stuck::{Failed, stuck},
};

/// Loads the schema files of a project into an empty database. An app without one has what its migrations made, which
/// `migrated` has to say if there is such an app.
pub(crate) async fn load(
    project: &Project,
    migrated: Option<&Owned>,
    scratch: &Scratch,
) -> anyhow::Result<Owned> {
    let mut conn = connect(scratch).await?;
    let mut reader = Reader::connect(&scratch.options(), &[]).await?;
    let mut owned = Owned::new(reader.read().await?);
    let mut waiting = statements(project, migrated, &owned.schema)?;
    let prepare = "set check_function_bodies = off";
    let prepared = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut conn).await;
    prepared.map_err(Error::database("prepare a throwaway database"))?;
    let (mut cut, mut ran_before, mut said) = (Cut::Nothing, Vec::new(), Said::default());
    while waiting.iter().any(|statements| !statements.is_empty()) {
        let (mut ran, mut failed) = (false, Vec::new());
        for (app, statements) in waiting.iter_mut().enumerate() {
            let before = statements.len();
            for statement in std::mem::take(statements) {
                match run(&mut conn, &statement, &ran_before).await? {
                    Ran::Done => ran_before.push(statement),
                    Ran::Waits(error) => {
                        failed.push(Failed::new(statement.clone(), &error));
                        statements.push(statement);
                    }
                }
            }
            if statements.len() < before {
                ran = true;
                let schema = reader.read().await?;
                if let Some(twice) = said.take(project, app, [&owned.schema, &schema], &ran_before) {
                    bail!(twice);
                }
                owned.advance(schema, &Maker { app, migration: None });
            }
        }
        if ran {
            continue;
        }
        if let Cut::ForeignKeys = cut {
            bail!("the schema files do not load\n{}", stuck(&failed));
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
fn statements(
    project: &Project,
    migrated: Option<&Owned>,
    empty: &Catalogue,
) -> anyhow::Result<Vec<Vec<Statement>>> {
    let mut all: Vec<Vec<Statement>> = project.apps.iter().map(|_| Vec::new()).collect();
    let mut has_file = vec![false; all.len()];
    for file in &project.schema_files {
        let app = position(project, &file.app);
        has_file[app] = true;
        all[app] = split(&file.script.path, &file.script.text);
    }
    let Some(migrated) = migrated.filter(|_| has_file.contains(&false)) else { return Ok(all) };
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

/// What became of a statement.
enum Ran {
    Done,
    /// It waits for what Postgres misses.
    Waits(sqlx::Error),
}

/// Runs a statement. `before` are those that have run.
async fn run(conn: &mut PgConnection, statement: &Statement, before: &[Statement]) -> anyhow::Result<Ran> {
    // What would replace an object, or leave it, has another file's object seem to be its own.
    let plain = Statement { place: statement.place.clone(), sql: plain(&statement.sql) };
    let Err(error) = plain.run(conn).await else { return Ok(Ran::Done) };
    if is_shared(statement, &error) {
        return Ok(Ran::Done);
    }
    if !exists(&error) {
        return Ok(Ran::Waits(error));
    }
    let file = |place: &str| place.rsplit_once(':').map_or(place.to_owned(), |(file, _)| file.to_owned());
    let first = maker(conn, &words(&error), before).await?;
    let elsewhere = first.is_some_and(|first| file(&first.place) != file(&statement.place));
    if !elsewhere && plain.sql != statement.sql && statement.run(conn).await.is_ok() {
        return Ok(Ran::Done);
    }
    let first = first.map_or_else(|| "another statement".to_owned(), |first| first.place.clone());
    bail!("{}: {}\n  {first} makes it already; an object belongs to one file", statement.place, words(&error))
}

/// The statement that made what there is already: run once more, it is refused in the same words.
async fn maker<'s>(
    conn: &mut PgConnection,
    refused: &str,
    before: &'s [Statement],
) -> anyhow::Result<Option<&'s Statement>> {
    let failed = || Error::database("find the statement that made an object");
    for statement in before {
        let mut transaction = conn.begin().await.map_err(failed())?;
        let again = Statement { place: String::new(), sql: plain(&statement.sql) };
        let ran = again.run(&mut transaction).await;
        transaction.rollback().await.map_err(failed())?;
        if ran.is_err_and(|error| words(&error) == refused) {
            return Ok(Some(statement));
        }
    }
    Ok(None)
}

/// A statement without its `or replace` and `if not exists`. Schemas and extensions may be in several files.
fn plain(sql: &str) -> String {
    const SHARED: [&str; 2] = ["schema", "extension"];
    let ranges = tokens(sql);
    let words: Vec<String> = ranges.iter().take(8).map(|it| sql[it.clone()].to_ascii_lowercase()).collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|it| it == word);
    if !is(0, "create") || SHARED.iter().any(|kind| is(1, kind)) {
        return sql.to_owned();
    }
    let without = |from: usize, to: usize| {
        format!("{}{}", &sql[..ranges[from].start], ranges.get(to).map_or("", |next| &sql[next.start..]))
    };
    if is(1, "or") && is(2, "replace") {
        return without(1, 3);
    }
    let condition = (2..6).find(|&at| is(at, "if") && is(at + 1, "not") && is(at + 2, "exists"));
    condition.map_or_else(|| sql.to_owned(), |at| without(at, at + 3))
}

/// Whether a statement makes what may be there: a schema or an extension, also of another file, or a role, also of another
/// database.
fn is_shared(statement: &Statement, error: &sqlx::Error) -> bool {
    let makes_extension = || {
        let mut words = statement.sql.split_whitespace().map(str::to_ascii_lowercase);
        words.next().as_deref() == Some("create") && words.next().as_deref() == Some("extension")
    };
    sqlstate::is(error, "42P06")
        || (sqlstate::is(error, "42710") && (makes_extension() || statement.makes_role()))
}

/// Whether an error says that there is already an object of this name.
fn exists(error: &sqlx::Error) -> bool {
    // A relation, an object of another kind, a function, a column.
    ["42P07", "42710", "42723", "42701"].iter().any(|code| sqlstate::is(error, code))
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_statement_makes_its_object_or_fails() {
        assert_eq!(plain("create or replace view v as select 1"), "create view v as select 1");
        assert_eq!(plain("create unlogged table if not exists t (a int)"), "create unlogged table t (a int)");
        assert_eq!(plain("create schema if not exists s"), "create schema if not exists s");
        assert_eq!(plain("create view v as select 'or replace'"), "create view v as select 'or replace'");
    }
}
