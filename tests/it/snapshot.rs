//! The whole content of a database as text, to check that a command changed nothing.

use sqlx::{AssertSqlSafe, PgConnection, Row};
use tests::TestDatabase;

/// Tables with their columns, constraints, indexes, functions, and every row, in all schemas that are not Postgres's own.
pub(crate) async fn snapshot(db: &TestDatabase) -> Vec<String> {
    let mut conn = db.pool().acquire().await.unwrap();
    let mut lines = catalogue(&mut conn).await;
    let tables = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname !~ '^(pg_|information_schema)' order by 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *conn).await.unwrap();
    for table in tables {
        let sql = AssertSqlSafe(format!("select t::text as row from {table} t order by 1"));
        for row in sqlx::query(sql).fetch_all(&mut *conn).await.unwrap() {
            lines.push(format!("{table} {}", row.get::<String, _>("row")));
        }
    }
    lines
}

/// The same lines without the rows.
pub(crate) async fn shape(db: &TestDatabase) -> Vec<String> {
    catalogue(&mut db.pool().acquire().await.unwrap()).await
}

/// Independent of the query that `verify` uses, so that this one shows what that one misses.
async fn catalogue(conn: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "with s as (select oid, nspname from pg_namespace where nspname !~ '^(pg_|information_schema)')
         select 'schema ' || nspname from s
         union all
         select format('relation %s.%s %s %s', s.nspname, c.relname, c.relkind, obj_description(c.oid))
         from pg_class c join s on s.oid = c.relnamespace
         union all
         select format('column %s.%s %s %s %s %s %s', s.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                       a.attnotnull, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
         from pg_class c join s on s.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
         union all
         select format('index %s %s', pg_get_indexdef(i.indexrelid), i.indisvalid) from pg_index i join pg_class c on c.oid = i.indexrelid join s on s.oid = c.relnamespace
         union all
         select format('constraint %s %s %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) from pg_constraint k join s on s.oid = k.connamespace
         union all
         select 'trigger ' || pg_get_triggerdef(t.oid) from pg_trigger t where not t.tgisinternal
         union all
         select format('function %s %s', p.oid::regprocedure, md5(p.prosrc)) from pg_proc p join s on s.oid = p.pronamespace
         order by 1",
    )
    .fetch_all(conn)
    .await
    .unwrap()
}
