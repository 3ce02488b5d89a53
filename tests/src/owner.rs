//! Says who owns a database: by a mark in its comment, and by a lock on the server that its owner holds for life.
//!
//! Both live in Postgres, so that they hold across processes and machines. We recognise our databases by name and mark, and
//! a database is abandoned as soon as its owner's lock is free.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use migrations::database;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{sync::Notify, time::sleep};

/// How long to retry if the server has no connection left.
const FOR_A_CONNECTION: Duration = Duration::from_secs(60);
/// How often to check the connection of an owner.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A server that can't be reached for so long won't come back.
const LOST: Duration = Duration::from_secs(60);
/// Postgres's code for having no connections left.
const TOO_MANY_CONNECTIONS: &str = "53300";
/// What every name begins with.
pub(crate) const PREFIX: &str = "scratch_";
/// How many digits at the end of our names are a hash of what is before them.
const PROOF: usize = 8;
/// What the environment marker of our databases says.
pub(crate) const ENVIRONMENT: &str = "scratch";

/// A process that makes databases on a server.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    /// Also the key of the advisory lock, in the database `postgres`.
    id: i64,
    /// The server's date and clock when the owner came.
    day: String,
    epoch: i64,
    since: Instant,
    /// The server writes nothing to a disk.
    pub(crate) in_memory: bool,
}

/// What a database is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be cloned.
    Template,
    /// For as long as its owner lives.
    Lent,
    /// For people to look at, because the test of that name failed.
    Kept(String),
}

/// What the comment of one of our databases says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) owner: i64,
    /// Seconds since 1970, by the server's clock: when it was marked.
    pub(crate) at: i64,
    pub(crate) purpose: Purpose,
}

impl Owner {
    /// Takes the lock of a new owner, which lasts as long as the connection.
    pub(crate) async fn new(conn: &mut PgConnection) -> anyhow::Result<Owner> {
        let owner = Owner::without_lock(conn).await?;
        owner.hold(conn).await?;
        Ok(owner)
    }

    /// An owner that holds no lock, and so counts as dead.
    pub(crate) async fn without_lock(conn: &mut PgConnection) -> anyhow::Result<Owner> {
        let sql =
            "select current_date::text, extract(epoch from now())::bigint, current_setting('fsync') = 'off'";
        let asked = sqlx::query_as(sql).fetch_one(conn).await;
        let (day, epoch, in_memory) = asked.context("ask for the server's clock")?;
        Ok(Owner { id: rand::random(), day, epoch, since: Instant::now(), in_memory })
    }

    /// Takes the lock again, after the connection that held it was lost.
    pub(crate) async fn hold(&self, conn: &mut PgConnection) -> anyhow::Result<()> {
        let took = sqlx::query("select pg_advisory_lock($1)").bind(self.id).execute(conn).await;
        took.context("take an owner's lock").map(drop)
    }

    /// A unique name: the owner's id, and 64 random bits.
    pub(crate) fn new_name(&self) -> String {
        proven(&format!("{PREFIX}{:016x}_{:016x}_", self.id, rand::random::<u64>()))
    }

    /// Writes the owner's mark into the comment of a database.
    pub(crate) async fn mark(
        &self,
        conn: &mut PgConnection,
        name: &str,
        purpose: &Purpose,
    ) -> anyhow::Result<()> {
        let at = self.epoch + i64::try_from(self.since.elapsed().as_secs()).unwrap_or(0);
        let purpose = match purpose {
            Purpose::Template => "template",
            Purpose::Lent => "lent",
            Purpose::Kept(test) => &format!("kept {}", test.replace('\'', "")),
        };
        let (id, day) = (self.id, &self.day);
        let mark = format!("environment={ENVIRONMENT} created={day} at={at} owner={id} {purpose}");
        let sql = format!("comment on database {name} is '{mark}'");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.with_context(|| format!("mark {name}"))?;
        Ok(())
    }
}

impl Mark {
    /// Reads a comment; `None` if it is no mark of ours.
    pub(crate) fn parse(comment: &str) -> Option<Mark> {
        let mut words = comment.splitn(5, ' ');
        if words.next()?.strip_prefix("environment=")? != ENVIRONMENT {
            return None;
        }
        words.next()?.strip_prefix("created=")?;
        let at = words.next()?.strip_prefix("at=")?.parse().ok()?;
        let owner = words.next()?.strip_prefix("owner=")?.parse().ok()?;
        let purpose = match words.next()? {
            "template" => Purpose::Template,
            "lent" => Purpose::Lent,
            kept => Purpose::Kept(kept.strip_prefix("kept ")?.to_owned()),
        };
        Some(Mark { owner, at, purpose })
    }
}

/// Appends to a name the digits that prove it ours.
pub(crate) fn proven(name: &str) -> String {
    let proof = hex::encode(&Sha256::digest(name.as_bytes())[..PROOF / 2]);
    format!("{name}{proof}")
}

/// Whether we gave this name.
pub(crate) fn is_ours(name: &str) -> bool {
    let before = name.len().checked_sub(PROOF).and_then(|end| name.get(..end));
    before.is_some_and(|before| before.starts_with(PREFIX) && proven(before) == name)
}

/// The owner in the name of a lent database.
pub(crate) fn owner_in(name: &str) -> Option<i64> {
    let id = name.strip_prefix(PREFIX)?.split('_').next()?;
    u64::from_str_radix(id, 16).ok().map(u64::cast_signed)
}

/// Connects to the server itself, rather than to a database of it.
pub(crate) async fn maintenance(server: &PgConnectOptions) -> anyhow::Result<PgConnection> {
    // It is idle for as long as it holds its lock, which no timeout of the role may end.
    let options = database::pinned(server).database("postgres").application_name("scratch databases");
    let mut conn = connect(&options).await?;
    database::require_direct(&mut conn).await?;
    Ok(conn)
}

/// Connects, and waits if the server has no connection left.
pub(crate) async fn connect(options: &PgConnectOptions) -> anyhow::Result<PgConnection> {
    let began = Instant::now();
    loop {
        match options.connect().await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(TOO_MANY_CONNECTIONS) => {
                if began.elapsed() > FOR_A_CONNECTION {
                    bail!(
                        "the test server had no connection left for {} s ({error})\n  list the sessions that hold them: select datname, count(*) \
                         from pg_stat_activity group by 1\n  or raise its max_connections",
                        FOR_A_CONNECTION.as_secs()
                    );
                }
                sleep(Duration::from_millis(20)).await;
            }
            other => return other.map_err(database::refused).context("connect to the test server"),
        }
    }
}

/// Holds the owner's lock, also across a restart of the server. Notifies if the server does not come back.
pub(crate) async fn hold(server: PgConnectOptions, owner: Owner, mut conn: PgConnection, lost: Arc<Notify>) {
    let mut answered = Instant::now();
    while answered.elapsed() < LOST {
        sleep(HEARTBEAT).await;
        if conn.ping().await.is_ok() {
            answered = Instant::now();
        } else if let Ok(mut again) = maintenance(&server).await
            && owner.hold(&mut again).await.is_ok()
        {
            conn = again;
        }
    }
    lost.notify_one();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_gave_are_ours() {
        let owner = Owner { id: -5, day: String::new(), epoch: 0, since: Instant::now(), in_memory: true };
        let name = owner.new_name();
        assert!(name.len() < 64, "{name}");
        assert!(is_ours(&name));
        assert_eq!(owner_in(&name), Some(-5));
        assert!(is_ours(&proven("scratch_template_0123456789abcdef")));
        for foreign in
            ["", "scratch_", "scratch_mine", "app", &name[1..], &format!("{name}0"), "scratch_é12345678"]
        {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }

    #[test]
    fn only_a_mark_of_ours_is_read() {
        let mark = |comment: &str| Mark::parse(comment).map(|mark| (mark.owner, mark.at, mark.purpose));
        assert_eq!(
            mark("environment=scratch created=2026-03-02 at=17 owner=-5 lent"),
            Some((-5, 17, Purpose::Lent))
        );
        assert_eq!(
            mark("environment=scratch created=2026-03-02 at=17 owner=5 kept seeds::a_test of mine"),
            Some((5, 17, Purpose::Kept("seeds::a_test of mine".to_owned())))
        );
        for foreign in [
            "",
            "environment=scratch created=2026-03-02",
            "environment=production created=2026-03-02 at=17 owner=5 lent",
            "environment=scratch created=2026-03-02 at=17 owner=5 borrowed",
        ] {
            assert_eq!(mark(foreign), None, "{foreign}");
        }
    }
}
