//! Types whose values Postgres does not turn into each other by itself. It is tried, in a transaction that is undone.

use catalogue::{Address, Body, Kind};
use diff::Part;
use migrations::{Error, sqlstate};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{
    filling::{self, Filling},
    whose::Whose,
};

/// A column that gets another type.
struct Retyped<'w> {
    column: &'w Address,
    old: &'w str,
    new: &'w str,
}

/// The columns whose values have no way into their new type, a line each. Their types exist in one of the two databases.
pub(super) async fn without_cast(
    whose: &Whose<'_>,
    parts: &[Part],
    filling: &Filling,
    databases: [&mut PgConnection; 2],
) -> anyhow::Result<Vec<String>> {
    let statements = parts.iter().flat_map(|part| &part.script.statements);
    let retyped = statements.filter_map(|statement| {
        let column = &statement.object;
        let body = filling::column_of(whose, column)?;
        filling::type_end(statement, body)?;
        let old = match &whose.from.schema.get(column)?.body {
            Body::Column(old) => old.data_type.as_str(),
            _ => return None,
        };
        let is_of_table = whose.from.schema.table_of(column).is_some_and(|it| it.address.kind == Kind::Table);
        let asked = is_of_table && old != body.data_type && filling.expression(column).is_none();
        asked.then_some(Retyped { column, old, new: &body.data_type })
    });
    let retyped: Vec<Retyped<'_>> = retyped.collect();
    let mut found = Vec::new();
    let [migrated, loaded] = databases;
    for Retyped { column, old, new } in retyped {
        if !(casts(migrated, old, new).await? || casts(loaded, old, new).await?) {
            found.push(format!("can't turn {column} from {old} into {new}: there is no cast for it"));
        }
    }
    Ok(found)
}

async fn casts(conn: &mut PgConnection, old: &str, new: &str) -> anyhow::Result<bool> {
    let failed = |error| Error::database("look for a cast")(error);
    let mut transaction = conn.begin().await.map_err(&failed)?;
    let sql =
        format!("create temporary table old_and_new (c {old}); alter table old_and_new alter c type {new}");
    let tried = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await;
    transaction.rollback().await.map_err(&failed)?;
    match tried {
        Ok(_) => Ok(true),
        Err(error) if sqlstate::code(&error).is_some() => Ok(false),
        Err(error) => Err(failed(error).into()),
    }
}
