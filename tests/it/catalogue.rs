//! The model of a schema, `xtask/catalogue`: that it sees everything, on databases with no schema but a test's own.

mod coverage;
mod fingerprints;
mod moving;
pub(crate) mod mutations;
mod names;
mod needs;
mod seen;
mod settings;
mod tables;

use catalogue::{Catalogue, Change, Difference};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tests::TestDatabase;

/// A session of its own: what it sets ends with it.
pub(crate) async fn connect(db: &TestDatabase) -> PgConnection {
    PgConnection::connect_with(&db.options()).await.unwrap()
}

/// Runs SQL whose statements end at the end of a line, one by one: some of them can't share a transaction.
pub(crate) async fn run(conn: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    for statement in sql.split_inclusive(";\n") {
        conn.execute(AssertSqlSafe(statement)).await?;
    }
    Ok(())
}

pub(crate) async fn read(conn: &mut PgConnection) -> Catalogue {
    migrations::schema::read(conn, &[]).await.unwrap()
}

pub(crate) fn major(conn: &PgConnection) -> u32 {
    conn.server_version_num().unwrap() / 10_000
}

/// A difference in a few words, without the values.
fn in_words(difference: &Difference) -> String {
    let address = &difference.address;
    match &difference.change {
        Change::Missing => format!("missing {address}"),
        Change::Unexpected => format!("unexpected {address}"),
        Change::Differs { attribute, note: false, .. } => format!("{address}: {attribute}"),
        Change::Differs { attribute, note: true, .. } => format!("note {address}: {attribute}"),
    }
}

fn differences(expected: &Catalogue, found: &Catalogue) -> Vec<String> {
    let mut all: Vec<String> = catalogue::differences(expected, found).iter().map(in_words).collect();
    all.sort();
    all
}
