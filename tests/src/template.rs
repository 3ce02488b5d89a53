//! Builds templates: databases that are closed to connections and only cloned.

use anyhow::Context;
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

/// Finds the template of a recipe, or builds it. If several callers arrive at once, one builds it and the others wait. `None`: an
/// empty database has no template.
pub(crate) async fn ensure(
    conn: &mut PgConnection,
    server: &PgConnectOptions,
    owner: &Owner,
    project: &Project,
    recipe: &Recipe,
) -> anyhow::Result<Option<String>> {
    if recipe.content == Content::Empty && !recipe.recyclable {
        return Ok(None);
    }
    database::require_version(conn, &project.postgres)?;
    let name = template_name(recipe, project, server.get_username(), conn.server_version_num().unwrap_or(0));
    if let State::Ready { age } = state(conn, &name).await? {
        if age > REFRESH {
            owner.mark(conn, &name, &Purpose::Template).await?;
        }
        return Ok(Some(name));
    }
    let key = lock_key(&name);
    // A wait in the database `postgres` delays no `create index concurrently` in another one.
    sqlx::query("select set_config('lock_timeout', $1, false)").bind(PATIENCE).execute(&mut *conn).await?;
    let locked = sqlx::query("select pg_advisory_lock($1)").bind(key).execute(&mut *conn).await;
    locked.with_context(|| format!("wait for the process that builds the template {name}"))?;
    let built = build(conn, server, owner, project, recipe, &name).await;
    sqlx::query("select pg_advisory_unlock($1)").bind(key).execute(conn).await?;
    built.map(|()| Some(name))
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

/// Makes every new database of the server a clone of this template, so that tests without this crate are fast too.
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
    Ready { age: i64 },
}

async fn state(conn: &mut PgConnection, name: &str) -> anyhow::Result<State> {
    let sql = "select datistemplate and not datallowconn, \
                      extract(epoch from now())::bigint - coalesce(substring(shobj_description(oid, 'pg_database') from ' at=(\\d+) ')::bigint, 0) \
               from pg_database where datname = $1";
    let found: Option<(bool, i64)> =
        sqlx::query_as(sql).bind(name).fetch_optional(conn).await.context("look for the template")?;
    Ok(match found {
        None => State::Absent,
        Some((false, _)) => State::Unfinished,
        Some((true, age)) => State::Ready { age },
    })
}

/// The key of a template's lock: the last 16 digits of its name, which is a hash.
fn lock_key(name: &str) -> i64 {
    let digits = name.get(name.len().saturating_sub(16)..).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or(0).cast_signed()
}
