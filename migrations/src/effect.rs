//! What of a statement's effect the catalogue shows, for statements that run outside of a transaction: a run that was
//! broken off may have done all of it, a part, or nothing.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::{
    Error,
    lone::{Lone, NewIndex},
};

const DOING: &str = "look for what an earlier run did";

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing, or it can't be seen.
    None,
    /// An index that Postgres keeps up to date and never reads.
    InvalidIndex(InvalidIndex),
    /// A partition that is detached for new queries, and not for old ones.
    HalfDetached {
        /// The statement that detaches it completely.
        finish: String,
    },
    /// All of it.
    Whole,
    /// What the statement removes is not there. Only if it has begun, its own work is the reason.
    Gone,
}

/// An index that is not valid, and that no session is building.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidIndex {
    /// Its name, qualified and quoted for SQL.
    pub(crate) index: String,
    /// The name of its table, likewise.
    pub(crate) table: String,
}

impl InvalidIndex {
    /// Drops it without locking its table.
    pub(crate) async fn drop(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(format!("drop index concurrently {}", self.index));
        sqlx::query(sql).execute(conn).await?;
        Ok(())
    }
}

/// Looks for the effect of a statement.
pub(crate) async fn look(conn: &mut PgConnection, lone: &Lone) -> Result<Effect, Error> {
    match lone {
        Lone::CreateIndex(new) => index(conn, new).await,
        Lone::DropIndex { index } => {
            let gone = exists(conn, "to_regclass($1) is null", &[index]).await?;
            Ok(if gone { Effect::Gone } else { Effect::None })
        }
        Lone::Detach { parent, partition } => detached(conn, parent, partition).await,
        Lone::AddValue { of, value } => {
            let sql = "exists (select from pg_enum where enumtypid = to_regtype($1) and enumlabel = $2)";
            Ok(if exists(conn, sql, &[of, value]).await? { Effect::Whole } else { Effect::None })
        }
        Lone::Reindex | Lone::Other => Ok(Effect::None),
    }
}

async fn exists(conn: &mut PgConnection, condition: &str, names: &[&str]) -> Result<bool, Error> {
    let sql = format!("select coalesce({condition}, false)");
    let query = names.iter().fold(sqlx::query_scalar(AssertSqlSafe(sql)), |query, name| query.bind(*name));
    query.fetch_one(conn).await.map_err(Error::database(DOING))
}

/// An index of that name on that table. Elsewhere it is another one, and none of ours.
///
/// Partitioned indexes are left out: they are invalid until each partition has its own, which is not a failure.
async fn index(conn: &mut PgConnection, new: &NewIndex) -> Result<Effect, Error> {
    let row = sqlx::query(
        "select format('%I.%I', n.nspname, c.relname) as index, i.indrelid::regclass::text as table, i.indisvalid as valid,
                c.oid::bigint as oid
         from pg_index i
         join pg_class c on c.oid = i.indexrelid and c.relkind = 'i'
         join pg_namespace n on n.oid = c.relnamespace
         where i.indrelid = to_regclass($1) and c.relname = $2
           and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)",
    )
    .bind(&new.table)
    .bind(&new.name)
    .fetch_optional(&mut *conn)
    .await
    .map_err(Error::database(DOING))?;
    let Some(row) = row else { return Ok(Effect::None) };
    let read = |error| Error::Database { doing: DOING, source: error };
    if row.try_get("valid").map_err(read)? {
        let same = is_defined_so(conn, row.try_get("oid").map_err(read)?, new).await?;
        return Ok(if same { Effect::Whole } else { Effect::None });
    }
    let (index, table) = (row.try_get("index").map_err(read)?, row.try_get("table").map_err(read)?);
    Ok(Effect::InvalidIndex(InvalidIndex { index, table }))
}

/// Whether an index is the one that the statement would build. Postgres says so: it builds that one on an empty copy of the
/// table, which no other session sees and which is rolled back.
async fn is_defined_so(conn: &mut PgConnection, index: i64, new: &NewIndex) -> Result<bool, Error> {
    let mut transaction = conn.begin().await.map_err(Error::database(DOING))?;
    let unique = if new.unique { "unique " } else { "" };
    let build = format!(
        "create temporary table empty_copy (like {}); create {unique}index empty_copy_idx on pg_temp.empty_copy {}",
        new.table, new.definition
    );
    let same = match sqlx::raw_sql(AssertSqlSafe(build)).execute(&mut *transaction).await {
        Ok(_) => same_definition(&mut transaction, index).await?,
        // Then the statement itself fails too, and says why.
        Err(sqlx::Error::Database(_)) => false,
        Err(error) => return Err(Error::Database { doing: DOING, source: error }),
    };
    transaction.rollback().await.map_err(Error::database(DOING))?;
    Ok(same)
}

async fn same_definition(conn: &mut PgConnection, index: i64) -> Result<bool, Error> {
    // By name, since a copied column may have another number. The row as JSON, since older versions lack a column.
    let sql = "select count(distinct jsonb_build_array(c.relam, to_jsonb(c.reloptions), i.indisunique,
                                          to_jsonb(i) -> 'indnullsnotdistinct', i.indnkeyatts, i.indclass::text,
                                          i.indcollation::text, i.indoption::text, pg_get_expr(i.indpred, i.indrelid),
                                          (select jsonb_agg(pg_get_indexdef(c.oid, n, false) order by n)
                                           from generate_series(1, i.indnatts) n))) = 1
               from pg_index i join pg_class c on c.oid = i.indexrelid
               where c.oid = any (array[$1::oid, 'pg_temp.empty_copy_idx'::regclass::oid])";
    sqlx::query_scalar(sql).bind(index).fetch_one(conn).await.map_err(Error::database(DOING))
}

async fn detached(conn: &mut PgConnection, parent: &str, partition: &str) -> Result<Effect, Error> {
    let pending: Option<bool> = sqlx::query_scalar(
        "select inhdetachpending from pg_inherits where inhrelid = to_regclass($1) and inhparent = to_regclass($2)",
    )
    .bind(partition)
    .bind(parent)
    .fetch_optional(&mut *conn)
    .await
    .map_err(Error::database(DOING))?;
    match pending {
        Some(true) => Ok(Effect::HalfDetached {
            finish: format!("alter table {parent} detach partition {partition} finalize"),
        }),
        Some(false) => Ok(Effect::None),
        None => {
            let both = "to_regclass($1) is not null and to_regclass($2) is not null";
            Ok(if exists(conn, both, &[parent, partition]).await? { Effect::Gone } else { Effect::None })
        }
    }
}
