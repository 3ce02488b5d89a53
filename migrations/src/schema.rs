//! Reading the schema of a database: runs the queries of the package `catalogue`.

use catalogue::{Catalogue, Reading};
use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, Row,
    postgres::{PgConnectOptions, PgRow},
};

use crate::{Error, database, sqlstate};

const DOING: &str = "read the schema";
/// How often a reading is tried while others change the schema.
const ATTEMPTS: u32 = 10;

/// Reads everything that a database holds, without `leave_out`, the schemas of the ledgers.
///
/// It is read in one read-only transaction. Where Postgres prints expressions it looks at the newest state, so everything is
/// read again if the schema changed meanwhile.
///
/// # Errors
/// [`Error::Database`], [`Error::SchemaChanges`] if it keeps changing, [`Error::Schema`].
pub async fn read(conn: &mut PgConnection, leave_out: &[&str]) -> Result<Catalogue, Error> {
    Ok(Catalogue::read(&reading(conn).await?, leave_out)?)
}

/// The same as it was read, which can be kept.
///
/// # Errors
/// As [`read()`].
pub async fn reading(conn: &mut PgConnection) -> Result<Reading, Error> {
    let mut why = Error::SchemaChanges;
    for _ in 0..ATTEMPTS {
        let read = attempt(conn).await;
        let ended = sqlx::raw_sql("rollback").execute(&mut *conn).await;
        match read {
            Ok(Attempt::Unmoved(reading)) => {
                ended.map_err(Error::database(DOING))?;
                return Ok(reading);
            }
            Ok(Attempt::Moved(reading, before)) => {
                ended.map_err(Error::database(DOING))?;
                if watch(conn).await.map_err(Error::database(DOING))? == before {
                    return Ok(reading);
                }
            }
            // What a query had found was dropped before it was printed, or is locked by what changes it.
            Err(error) if vanished(&error) => why = Error::database(DOING)(error),
            Err(error) => return Err(Error::database(DOING)(error)),
        }
    }
    Err(why)
}

/// Reads everything within the caller's open transaction. The caller makes sure that nothing that matters changes meanwhile, for
/// example with locks on the tables.
///
/// # Errors
/// [`Error::Database`], [`Error::Schema`].
pub async fn read_within(conn: &mut PgConnection, leave_out: &[&str]) -> Result<Catalogue, Error> {
    let major = major(conn);
    let sheets = run(conn, catalogue::script_within(major)).await.map_err(Error::database(DOING))?;
    sqlx::raw_sql(catalogue::END_WITHIN).execute(conn).await.map_err(Error::database(DOING))?;
    Ok(Catalogue::read(&Reading::new(major, sheets), leave_out)?)
}

/// A connection that reads the schema of a database again and again, in a fraction of the time of [`read()`].
#[derive(Debug)]
pub struct Reader {
    conn: PgConnection,
    leave_out: Vec<String>,
    script: String,
    major: u32,
    /// How many objects there were when Postgres last planned the queries; 0 before the first reading of an object.
    planned_for: usize,
    /// How many there were at the last reading.
    objects: usize,
}

impl Reader {
    /// Connects to a database that no other session changes meanwhile, such as a throwaway database of the caller's own.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn connect(options: &PgConnectOptions, leave_out: &[&str]) -> Result<Reader, Error> {
        let mut conn = database::connect(options).await?;
        let major = major(&conn);
        let prepare = AssertSqlSafe(catalogue::prepare(major));
        sqlx::raw_sql(prepare).execute(&mut conn).await.map_err(Error::database(DOING))?;
        let leave_out = leave_out.iter().map(|&schema| schema.to_owned()).collect();
        Ok(Reader {
            conn,
            leave_out,
            script: catalogue::prepared_script(major),
            major,
            planned_for: 0,
            objects: 0,
        })
    }

    /// Reads everything that the database holds.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Schema`].
    pub async fn read(&mut self) -> Result<Catalogue, Error> {
        // A plan for a few objects is a slow one for many. The first reading plans for what it finds.
        if self.planned_for > 0 && self.objects > 2 * self.planned_for {
            let discard = sqlx::raw_sql("discard plans").execute(&mut self.conn).await;
            discard.map_err(Error::database(DOING))?;
            self.planned_for = self.objects;
        }
        let sheets = run(&mut self.conn, self.script.clone()).await.map_err(Error::database(DOING))?;
        sqlx::raw_sql("rollback").execute(&mut self.conn).await.map_err(Error::database(DOING))?;
        let leave_out: Vec<&str> = self.leave_out.iter().map(String::as_str).collect();
        let schema = Catalogue::read(&Reading::new(self.major, sheets), &leave_out)?;
        self.objects = schema.objects().count();
        if self.planned_for == 0 {
            self.planned_for = self.objects;
        }
        Ok(schema)
    }

    /// A text that is another one after every change of the schema. It takes a fraction of the time of a reading, and may
    /// change without a change that a reading shows, as after `truncate`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn signature(&mut self) -> Result<String, Error> {
        watch(&mut self.conn).await.map_err(Error::database(DOING))
    }

    /// The number that the next transaction on the server will have.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn next_transaction(&mut self) -> Result<i64, Error> {
        let sql = "select pg_snapshot_xmax(pg_current_snapshot())::xid::text::bigint";
        let row = sqlx::raw_sql(sql).fetch_one(&mut self.conn).await;
        row.and_then(|row| row.try_get(0)).map_err(Error::database(DOING))
    }

    /// The numbers of the transactions that wrote what the database now holds of the schema.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn writers(&mut self) -> Result<Vec<i64>, Error> {
        let rows = sqlx::raw_sql(AssertSqlSafe(catalogue::writers())).fetch_all(&mut self.conn).await;
        let rows = rows.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
        rows.map_err(Error::database(DOING))
    }

    /// Closes the connection.
    pub async fn close(self) {
        // The server frees everything in either case.
        let _ = self.conn.close().await;
    }
}

/// Runs a script of the package `catalogue`.
async fn run(conn: &mut PgConnection, script: String) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::raw_sql(AssertSqlSafe(script)).fetch(conn);
    let sheet = |row: PgRow| Ok(row.try_get::<Option<String>, _>(0)?.unwrap_or_default());
    rows.and_then(|row| async { sheet(row) }).try_collect().await
}

fn major(conn: &PgConnection) -> u32 {
    // 150018 is 15.18.
    conn.server_version_num().unwrap_or_default() / 10_000
}

enum Attempt {
    /// No other transaction ran meanwhile.
    Unmoved(Reading),
    /// Others ran; the signature of the state that was read.
    Moved(Reading, String),
}

async fn attempt(conn: &mut PgConnection) -> Result<Attempt, sqlx::Error> {
    let major = major(conn);
    let reading = Reading::new(major, run(conn, catalogue::script(major)).await?);
    let unmoved: bool = sqlx::query_scalar(catalogue::unmoved()).fetch_one(&mut *conn).await?;
    if unmoved { Ok(Attempt::Unmoved(reading)) } else { Ok(Attempt::Moved(reading, watch(conn).await?)) }
}

/// The signature of the schema as this transaction sees it.
async fn watch(conn: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(AssertSqlSafe(catalogue::moved())).fetch_one(conn).await
}

/// Whether an object was dropped or changed while it was read: `XX000` is `cache lookup failed`, and an undefined object or
/// table has a code of its own, as have a deadlock and a lock that was not released in time.
fn vanished(error: &sqlx::Error) -> bool {
    let code = sqlstate::code(error).unwrap_or_default();
    ["XX000", "42704", "42P01", "42883", "3F000", "40P01", "55P03"].contains(&&*code)
}
