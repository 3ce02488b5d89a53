//! The schema diff, `xtask/diff`: that its script turns one schema into the other, on databases with no schema but a test's own.

mod corpus;
mod mutations;
mod random;
mod subscriptions;
mod verb;

use catalogue::{Catalogue, differences};
use diff::{Hazard, Renames, Statement};
use sqlx::{AssertSqlSafe, Connection};
use tests::TestDatabase;

use crate::catalogue::{connect, read, run};

/// What a script made of a schema.
struct Turned {
    /// The schema that it leaves, which is the one that was meant as far as `diff` manages it.
    catalogue: Catalogue,
    /// What the script says that it loses.
    losses: Vec<String>,
}

/// Runs the script that turns one schema into another, in a database that holds the first.
async fn turned(
    db: &TestDatabase,
    from: &Catalogue,
    to: &Catalogue,
    mut renames: Renames,
) -> Result<Turned, String> {
    let mut conn = connect(db).await;
    let mut renamed = None;
    loop {
        let from = renamed.as_ref().unwrap_or(from);
        let statements = renames.next(from, to).map_err(|error| error.to_string())?;
        if statements.is_empty() {
            break;
        }
        for Statement { sql, .. } in statements {
            run(&mut conn, &sql).await.map_err(|error| format!("{error}\n{sql}"))?;
        }
        renamed = Some(read(&mut conn).await);
    }
    let from = renamed.as_ref().unwrap_or(from);
    let script = diff::diff(from, to).map_err(|error| error.to_string())?;
    let hazards = script.statements.iter().flat_map(|statement| statement.hazards.iter());
    let losses = hazards
        .filter_map(|hazard| match hazard {
            Hazard::DataLoss(what) => Some(what.clone()),
            _ => None,
        })
        .collect();
    let script = script.sql();
    sqlx::raw_sql(AssertSqlSafe(script.clone())).execute(&mut conn).await.map_err(|error| {
        let code = error.as_database_error().and_then(|it| it.code()).unwrap_or_default();
        format!("{code} {error}\n{script}")
    })?;
    let catalogue = read(&mut conn).await;
    conn.close().await.map_err(|error| error.to_string())?;
    let mut left = differences(to, &catalogue);
    left.retain(|difference| diff::unmanaged(difference).is_none());
    if left.is_empty() { Ok(Turned { catalogue, losses }) } else { Err(format!("left different: {left:#?}")) }
}

/// A schema in a database of its own.
struct Schema {
    db: TestDatabase,
    /// How it was read before anything changed it.
    catalogue: Catalogue,
}

impl Schema {
    /// What statements make, each of which ends at the end of a line; `:db` in them is the database.
    async fn made_by(sql: &str) -> Result<Schema, String> {
        let db = tests::empty().database().await;
        let mut conn = connect(&db).await;
        let sql = sql.replace(":db", db.name());
        run(&mut conn, &sql).await.map_err(|error| format!("{error}\n{sql}"))?;
        let catalogue = read(&mut conn).await;
        conn.close().await.map_err(|error| error.to_string())?;
        Ok(Schema { db, catalogue })
    }
}
