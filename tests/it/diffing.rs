//! The schema diff, `xtask/diff`: that its script turns one schema into the other, on databases with no schema but a test's own.

mod corpus;
mod mutations;
mod random;
mod verb;

use catalogue::{Catalogue, Difference, differences};
use diff::{Renames, Statement};
use sqlx::{AssertSqlSafe, Connection};
use tests::TestDatabase;

use crate::catalogue::{connect, read, run};

/// Runs the script that turns what a database holds into `to`. Returns what the script left different.
async fn turned(db: &TestDatabase, to: &Catalogue, mut renames: Renames) -> Result<Vec<Difference>, String> {
    let mut conn = connect(db).await;
    let mut from = read(&mut conn).await;
    loop {
        let statements = renames.next(&from, to).map_err(|error| error.to_string())?;
        if statements.is_empty() {
            break;
        }
        for Statement { sql, .. } in statements {
            run(&mut conn, &sql).await.map_err(|error| format!("{error}\n{sql}"))?;
        }
        from = read(&mut conn).await;
    }
    let script = diff::diff(&from, to).map_err(|error| error.to_string())?.sql();
    sqlx::raw_sql(AssertSqlSafe(script.clone())).execute(&mut conn).await.map_err(|error| {
        let code = error.as_database_error().and_then(|it| it.code()).unwrap_or_default();
        format!("{code} {error}\n{script}")
    })?;
    conn.close().await.map_err(|error| error.to_string())?;
    let mut conn = connect(db).await;
    let mut left = differences(to, &read(&mut conn).await);
    left.retain(|difference| diff::unmanaged(difference).is_none());
    Ok(left)
}

/// The schema that SQL makes.
fn schema_of(sql: &str) -> Result<Catalogue, String> {
    let mut schema = Err(String::new());
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        schema = match run(&mut conn, &sql.replace(":db", db.name())).await {
            Ok(()) => Ok(read(&mut conn).await),
            Err(error) => Err(format!("{error}\n{sql}")),
        };
        Ok(())
    });
    schema
}

/// What goes wrong when the schema of one SQL is turned into another's; nothing, if all goes well.
fn mistakes(from: &str, to: &Catalogue) -> Option<String> {
    let mut mistakes = None;
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        run(&mut conn, &from.replace(":db", db.name())).await?;
        conn.close().await?;
        mistakes = match turned(db, to, Renames::default()).await {
            Ok(left) if left.is_empty() => None,
            Ok(left) => Some(format!("left different: {left:#?}")),
            Err(error) => Some(error),
        };
        Ok(())
    });
    mistakes
}
