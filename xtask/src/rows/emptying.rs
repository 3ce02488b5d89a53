//! Taking all rows out of tables, within the caller's transaction: guards stood down, nothing cascaded.

use migrations::Error;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::{
    database::session::quoted,
    rows::tables::{Table, run},
};

/// A foreign key of another table that leads to one of ours.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// `constraint x of table y, which refers to z`.
    pub(crate) what: String,
    /// The table, as SQL takes it, and its columns.
    table: String,
    columns: Vec<String>,
}

/// The foreign keys of all other tables that lead to these or to their partitions.
pub(crate) async fn references(conn: &mut PgConnection, tables: &[Table]) -> anyhow::Result<Vec<Reference>> {
    let names: Vec<String> = tables.iter().map(Table::sql).collect();
    let rows = sqlx::query(
        "with ours as (select coalesce(p.relid, t) as oid from unnest($1::regclass[]) t left join pg_partition_tree(t) p on true)
         select format('constraint %I of table %s, which refers to %s', k.conname, k.conrelid::regclass, k.confrelid::regclass) as what,
                format('%I.%I', s.nspname, c.relname) as table,
                array(select a.attname::text from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any (k.conkey)) as columns
         from pg_constraint k
         join pg_class c on c.oid = k.conrelid
         join pg_namespace s on s.oid = c.relnamespace
         where k.contype = 'f' and k.conparentid = 0 and k.confrelid in (select oid from ours) and k.conrelid not in (select oid from ours)
         order by 1",
    )
    .bind(names)
    .fetch_all(conn)
    .await
    .map_err(Error::database("look who refers to the tables"))?;
    let read = |row: sqlx::postgres::PgRow| {
        Ok(Reference {
            what: row.try_get("what")?,
            table: row.try_get("table")?,
            columns: row.try_get("columns")?,
        })
    };
    let references: Result<Vec<Reference>, sqlx::Error> = rows.into_iter().map(read).collect();
    Ok(references.map_err(Error::database("look who refers to the tables"))?)
}

impl Reference {
    /// How many rows refer to something by it.
    pub(crate) async fn rows(&self, conn: &mut PgConnection) -> anyhow::Result<u64> {
        let set: Vec<String> =
            self.columns.iter().map(|column| format!("{} is not null", quoted(column))).collect();
        let sql = format!("select count(*) from {} where {}", self.table, set.join(" and "));
        let counted = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await;
        let counted: i64 = counted.map_err(Error::database("count the rows that refer to the tables"))?;
        Ok(counted.unsigned_abs())
    }
}

/// Which triggers stand down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Triggers {
    /// Those that truncate would fire.
    OfTruncate,
    /// All but constraint triggers, which check a row and don't change it.
    ThatMayChangeRows,
}

/// Makes triggers stand down, those of partitions too; running what it returns gives them back as they were. The owner of
/// a table may do so, which `session_replication_role` is not for. Where the transaction ends early they are back as well.
pub(crate) async fn stand_down(
    conn: &mut PgConnection,
    tables: &[Table],
    which: Triggers,
) -> anyhow::Result<Vec<String>> {
    let names: Vec<String> = tables.iter().map(Table::sql).collect();
    let statements: Vec<(String, String)> = sqlx::query_as(
        // A partition may have triggers of its own, and its parent's in another state: hence `only`, and each by itself.
        "with ours as (select coalesce(p.relid, t) as oid from unnest($1::regclass[]) t left join pg_partition_tree(t) p on true)
         select format('alter table only %s disable trigger %I', tgrelid::regclass, tgname),
                format('alter table only %s enable%s trigger %I', tgrelid::regclass,
                       case tgenabled when 'A' then ' always' when 'R' then ' replica' else '' end, tgname)
         from pg_trigger
         where tgrelid in (select oid from ours) and not tgisinternal and tgenabled <> 'D'
           -- 32: of truncate.
           and case when $2 then tgtype & 32 <> 0 else tgconstraint = 0 end
         order by 1",
    )
    .bind(names)
    .bind(which == Triggers::OfTruncate)
    .fetch_all(&mut *conn)
    .await
    .map_err(Error::database("read the triggers"))?;
    let mut back = Vec::new();
    for (down, up) in statements {
        run(conn, &down, "make the triggers stand down").await?;
        back.push(up);
    }
    Ok(back)
}

/// Takes out all rows; their sequences start again. Other tables must not refer to them.
pub(crate) async fn truncate(conn: &mut PgConnection, tables: &[Table]) -> anyhow::Result<()> {
    let names: Vec<String> = tables.iter().map(Table::own_rows).collect();
    run(conn, &format!("truncate {} restart identity", names.join(", ")), "take the rows out").await
}

/// The same where others refer to them, though by no row: truncate does not look at rows.
pub(crate) async fn delete(conn: &mut PgConnection, tables: &[Table]) -> anyhow::Result<()> {
    // One statement, since tables may refer to each other: keys are checked when all of it is done.
    let parts: Vec<String> = tables
        .iter()
        .enumerate()
        .map(|(index, table)| format!("gone_{index} as (delete from {})", table.own_rows()))
        .collect();
    run(conn, &format!("with {} select", parts.join(", ")), "take the rows out").await
}
