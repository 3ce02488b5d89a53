//! Builds templates: databases that are closed to connections and only cloned.

use anyhow::{Context, bail};
use migrations::{Project, Prune, SeedMode, Session, Settings, Target, database};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use tests_client::{Content, Recipe};

use crate::{
    naming::template_name,
    owner::{Owner, Purpose, connect},
    recycle, statements,
};

/// How long to wait for another process that builds the same template.
const PATIENCE: &str = "5min";
/// A template in use is marked again after so many seconds, so that no sweep takes it for superseded.
const REFRESH: i64 = 3600;

/// A complete template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Template {
    /// Its name; empty for a database that holds nothing, which has no template.
    pub(crate) name: String,
    /// The statements that give a clone what Postgres does not copy, with `{clone}` for its name; usually there are none. They
    /// are read once a template, so that a clone costs no query more.
    outside: Vec<String>,
}

impl Template {
    /// Gives a clone what Postgres keeps about the template outside of it.
    pub(crate) async fn complete(&self, conn: &mut PgConnection, clone: &str) -> anyhow::Result<()> {
        if self.outside.is_empty() {
            return Ok(());
        }
        let sql = self.outside.join(";\n").replace("{clone}", clone);
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await;
        done.with_context(|| format!("give {clone} the settings and rights of its template")).map(drop)
    }
}

/// Finds the template of a recipe, or builds it. If several callers arrive at once, one builds it and the others wait.
pub(crate) async fn ensure(
    conn: &mut PgConnection,
    server: &PgConnectOptions,
    owner: &Owner,
    project: &Project,
    recipe: &Recipe,
) -> anyhow::Result<Template> {
    if recipe.content == Content::Empty && !recipe.recyclable {
        return Ok(Template::default());
    }
    database::require_version(conn, &project.postgres)?;
    let name = template_name(recipe, project, server.get_username(), conn.server_version_num().unwrap_or(0));
    if let State::Ready { age, outside } = state(conn, &name).await? {
        if age > REFRESH {
            owner.mark(conn, &name, &Purpose::Template).await?;
        }
        return Ok(Template { name, outside });
    }
    let key = lock_key(&name);
    // A wait in the database `postgres` delays no `create index concurrently` in another one.
    sqlx::query("select set_config('lock_timeout', $1, false)").bind(PATIENCE).execute(&mut *conn).await?;
    let locked = sqlx::query("select pg_advisory_lock($1)").bind(key).execute(&mut *conn).await;
    locked.with_context(|| format!("wait for the process that builds the template {name}"))?;
    let built = build(conn, server, owner, project, recipe, &name).await;
    sqlx::query("select pg_advisory_unlock($1)").bind(key).execute(&mut *conn).await?;
    built?;
    match state(conn, &name).await? {
        State::Ready { outside, .. } => Ok(Template { name, outside }),
        _ => bail!("the template {name} was removed just after it was built"),
    }
}

/// Builds it, under the lock of that template.
async fn build(
    conn: &mut PgConnection,
    server: &PgConnectOptions,
    owner: &Owner,
    project: &Project,
    recipe: &Recipe,
    name: &str,
) -> anyhow::Result<()> {
    match state(conn, name).await? {
        // The process that had the lock before us has built it.
        State::Ready { .. } => return Ok(()),
        // Its builder was killed, or we would not have the lock.
        State::Unfinished => statements::discard(conn, name).await?,
        State::Absent => {}
    }
    statements::copy(conn, owner, name, None).await?;
    owner.mark(conn, name, &Purpose::Template).await?;
    let built = fill(&server.clone().database(name), project, recipe).await;
    if let Err(error) = built {
        statements::discard(conn, name).await?;
        return Err(error);
    }
    // In one statement, because closed and a template means complete.
    let close = format!("alter database {name} with allow_connections false is_template true");
    sqlx::query(AssertSqlSafe(close)).execute(&mut *conn).await.context("close the template")?;
    // `create database` would wait for them in steps of 100 ms.
    database::end_sessions(conn, name).await?;
    Ok(())
}

async fn fill(options: &PgConnectOptions, project: &Project, recipe: &Recipe) -> anyhow::Result<()> {
    let mut session = Session::connect(options, Settings::default()).await?;
    let target = match &recipe.content {
        Content::Empty => None,
        Content::Unseeded | Content::Seeded => Some(Target::Latest),
        Content::At(name) => {
            let (app, name) = name
                .split_once('/')
                .with_context(|| format!("`{name}` names no migration: write app/0001_name"))?;
            Some(Target::Migration(project.migration(app, name)?.id.clone()))
        }
    };
    if let Some(target) = target {
        session.migrate(project, &target, &mut |_| {}).await?;
    }
    if recipe.content == Content::Seeded {
        session.seed(project, SeedMode::Write, Prune::No, &mut |_| {}).await?;
    }
    if recipe.recyclable {
        recycle::prepare(session.connection()).await?;
    }
    session.close().await;
    // The first connection after DDL fills a file of Postgres's cache. Here it is copied with the rest; otherwise the first
    // connection to each clone would have to fill it.
    connect(options).await?.close().await.context("leave the template")
}

/// Makes every new database of the server a clone of this template, so that tests without this crate are fast too. What
/// Postgres keeps about a database outside of it does not reach them.
///
/// Only for a server that has no other user.
pub(crate) async fn make_default(conn: &mut PgConnection, template: &str) -> anyhow::Result<()> {
    for sql in [
        "alter database template1 is_template false",
        "drop database template1",
        &format!("create database template1 template {template} is_template true"),
    ] {
        let done = sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(&mut *conn).await;
        done.with_context(|| format!("replace `template1`: {sql}"))?;
    }
    Ok(())
}

enum State {
    Absent,
    Unfinished,
    Ready { age: i64, outside: Vec<String> },
}

async fn state(conn: &mut PgConnection, name: &str) -> anyhow::Result<State> {
    let found = sqlx::query_as(include_str!("template.sql")).bind(name).fetch_optional(conn).await;
    let found: Option<(bool, i64, Vec<String>)> = found.context("look for the template")?;
    Ok(match found {
        None => State::Absent,
        Some((false, ..)) => State::Unfinished,
        Some((true, age, outside)) => State::Ready { age, outside },
    })
}

/// The key of a template's lock: the last 16 digits of its name, which is a hash.
fn lock_key(name: &str) -> i64 {
    let digits = name.get(name.len().saturating_sub(16)..).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or(0).cast_signed()
}
