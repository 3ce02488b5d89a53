//! Indexes that a failed `create index concurrently` left: Postgres keeps them up to date and never reads them.

use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::{
    Error, Script,
    statements::{self, ConcurrentIndex},
};

/// An index that is not valid, and that no session is building.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidIndex {
    /// Its name, qualified and quoted for SQL.
    pub(crate) index: String,
    /// The name of its table, likewise.
    pub(crate) table: String,
}

/// The invalid indexes with the name of the one that a script builds concurrently.
///
/// Partitioned indexes are left out: they are invalid until each partition has its own, which is not a failure.
pub(crate) async fn invalid_of(conn: &mut PgConnection, script: &Script) -> Result<Vec<InvalidIndex>, Error> {
    let ConcurrentIndex::Named(built) = statements::concurrent_index(&script.text) else {
        return Ok(Vec::new());
    };
    let failed = "look for invalid indexes";
    let rows = sqlx::query(
        "select format('%I.%I', n.nspname, c.relname) as index, t.oid::regclass::text as table,
                c.relname::text as index_name
         from pg_index i
         join pg_class c on c.oid = i.indexrelid and c.relkind = 'i'
         join pg_class t on t.oid = i.indrelid
         join pg_namespace n on n.oid = c.relnamespace
         where not i.indisvalid and n.nspname !~ '^pg_'
           and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)
         order by 1",
    )
    .fetch_all(conn)
    .await
    .map_err(Error::database(failed))?;
    let mut found = Vec::new();
    for row in rows {
        let column = |name| row.try_get::<String, _>(name).map_err(Error::database(failed));
        if column("index_name")? == built {
            found.push(InvalidIndex { index: column("index")?, table: column("table")? });
        }
    }
    Ok(found)
}

/// Drops an index without locking its table.
pub(crate) async fn drop(conn: &mut PgConnection, invalid: &InvalidIndex) -> Result<(), Error> {
    let sql = AssertSqlSafe(format!("drop index concurrently {}", invalid.index));
    sqlx::query(sql).execute(conn).await.map_err(Error::database("drop an invalid index"))?;
    Ok(())
}
