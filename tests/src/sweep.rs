//! Removes databases whose owner is gone. Three things prove it: only we give such names, no process holds the owner's lock,
//! and no session is connected.

use std::time::Duration;

use anyhow::Context;
use sqlx::{AssertSqlSafe, PgConnection, postgres::PgConnectOptions};

use crate::{
    owner::{Mark, Owner, Purpose, is_ours, maintenance, owner_in},
    statements,
};

/// A template that was not used for so long is superseded.
const SUPERSEDED: Duration = Duration::from_secs(7 * 24 * 3600);
/// After so long the database of a failed test is of no interest.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// One of our databases, as seen from outside.
#[derive(Debug, Clone)]
struct Seen {
    name: String,
    /// `None`: its maker was killed just after it made it.
    mark: Option<Mark>,
    /// Since it was marked.
    age: Duration,
    /// A session is connected to it.
    in_use: bool,
    /// A process holds its owner's lock.
    owned: bool,
    /// It is a template, and complete.
    finished: bool,
}

/// Lists our databases on a server, each with what it is there for, in words.
///
/// # Errors
/// If the server does not answer.
pub async fn databases(server: &PgConnectOptions) -> anyhow::Result<Vec<(String, String)>> {
    let seen = list(&mut maintenance(server).await?).await?;
    let described = seen.into_iter().map(|seen| {
        let what = match seen.mark.as_ref().map(|mark| &mark.purpose) {
            Some(Purpose::Template) if seen.finished => "template".to_owned(),
            Some(Purpose::Template) => "template, unfinished".to_owned(),
            Some(Purpose::Kept(test)) => format!("kept: {test}"),
            Some(Purpose::Lent) | None if seen.owned => "ready or in use".to_owned(),
            Some(Purpose::Lent) | None => "of a killed command".to_owned(),
        };
        (seen.name, what)
    });
    Ok(described.collect())
}

/// All of our databases on a server.
async fn list(conn: &mut PgConnection) -> anyhow::Result<Vec<Seen>> {
    let sql = "\
        select datname::text, coalesce(shobj_description(d.oid, 'pg_database'), ''), extract(epoch from now())::bigint, \
               exists (select from pg_stat_activity a where a.datid = d.oid), datistemplate and not datallowconn \
        from pg_database d order by datname";
    type Row = (String, String, i64, bool, bool);
    let rows: Vec<Row> =
        sqlx::query_as(sql).fetch_all(&mut *conn).await.context("list the databases of the test server")?;
    let sql = "\
        select (classid::bigint << 32) | objid::bigint from pg_locks \
        where locktype = 'advisory' and objsubid = 1 and granted \
          and database = (select oid from pg_database where datname = current_database())";
    let held: Vec<i64> =
        sqlx::query_scalar(sql).fetch_all(conn).await.context("list the owners on the test server")?;
    let ours = rows.into_iter().filter(|(name, ..)| is_ours(name));
    let seen = ours.map(|(name, comment, now, in_use, finished)| {
        let mark = Mark::parse(&comment);
        let age = mark.as_ref().map_or(0, |mark| now - mark.at);
        let age = Duration::from_secs(u64::try_from(age).unwrap_or(0));
        let owner = mark.as_ref().map(|mark| mark.owner).or_else(|| owner_in(&name));
        let owned = owner.is_some_and(|owner| held.contains(&owner));
        Seen { name, mark, age, in_use, owned, finished }
    });
    Ok(seen.collect())
}

/// Removes what was abandoned at least so long ago, and what is too old to be of use. Returns the names.
pub(crate) async fn abandoned(conn: &mut PgConnection, before: Duration) -> anyhow::Result<Vec<String>> {
    let useless = |seen: &Seen| match seen.mark.as_ref().map(|mark| &mark.purpose) {
        Some(Purpose::Kept(_)) => seen.age >= STALE,
        Some(Purpose::Template) if seen.finished => seen.age >= SUPERSEDED,
        Some(Purpose::Lent | Purpose::Template) => !seen.owned && seen.age >= before,
        // Its age is unknown, so it gets a mark now, and the next sweep removes it.
        None => !seen.owned && before.is_zero(),
    };
    let seen = list(conn).await?;
    for unmarked in seen.iter().filter(|it| it.mark.is_none() && !it.owned && !before.is_zero()) {
        let _ = Owner::without_lock(conn).await?.mark(conn, &unmarked.name, &Purpose::Lent).await;
    }
    remove(conn, seen.into_iter().filter(useless)).await
}

/// Removes our databases from a server, unless they are owned or in use: databases of killed and of failed tests, and also
/// the templates if no service lends clones of them. Returns the names.
///
/// # Errors
/// If the server does not answer.
pub async fn sweep(server: &PgConnectOptions) -> anyhow::Result<Vec<String>> {
    let conn = &mut maintenance(server).await?;
    let seen = list(conn).await?;
    // A service that runs may clone any of the templates at any time.
    let a_service_runs = seen.iter().any(|seen| seen.owned);
    let useless = |seen: &Seen| match seen.mark.as_ref().map(|mark| &mark.purpose) {
        Some(Purpose::Kept(_)) => true,
        Some(Purpose::Template) if seen.finished => !a_service_runs,
        Some(Purpose::Lent | Purpose::Template) | None => !seen.owned,
    };
    remove(conn, seen.into_iter().filter(useless)).await
}

async fn remove(conn: &mut PgConnection, useless: impl Iterator<Item = Seen>) -> anyhow::Result<Vec<String>> {
    let mut removed = Vec::new();
    for seen in useless.filter(|seen| !seen.in_use) {
        if seen.finished {
            let open = format!("alter database {} is_template false", seen.name);
            // Another process may be removing it too.
            let _ = sqlx::query(AssertSqlSafe(open)).persistent(false).execute(&mut *conn).await;
        }
        // If a session has connected to it since we looked, it stays.
        if statements::drop_unused(conn, &seen.name).await.is_ok() {
            removed.push(seen.name);
        }
    }
    Ok(removed)
}
