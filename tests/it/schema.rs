//! The migrated and seeded schema: properties of its whole catalogue here, rows that it refuses and accepts in `rows`, its
//! triggers and delete rules in `rules`, its reference data in `seeds`.
//!
//! The tests of properties cover every new table, column and constraint without a change.

mod rows;
mod rules;
mod seeds;

use std::{collections::BTreeSet, fs};

use catalogue::Scope;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, postgres::PgRow};
use tests::with_database;

use crate::product;

/// Foreign keys against the direction of `depends-on`. The later app adds them to tables of the earlier one.
const BACK_REFERENCES: [&str; 4] = [
    "api_keys.organization_id -> organizations",
    "user_roles.org_id -> organizations",
    "users.org_id -> organizations",
    "webhook_endpoints.organization_id -> organizations",
];

/// The beginning of every query of the catalogue: the tables of `public`, their columns, and their foreign keys.
const CATALOGUE: &str = "
    with tables as (
        select oid, relname::text as name from pg_class
        where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
    ), columns as (
        select t.oid, t.name as child, a.attname::text as column, t.name || '.' || a.attname as name,
               format_type(a.atttypid, a.atttypmod) as type
        from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    ), foreign_keys as (
        select k.conname::text as name, t.oid, t.name as child, p.relname::text as parent, k.conkey as numbers,
               array(
                   select a.attname::text from unnest(k.conkey) with ordinality as c (number, nth)
                   join pg_attribute a on a.attrelid = t.oid and a.attnum = c.number order by nth
               ) as columns,
               case k.confdeltype when 'a' then 'no action' when 'c' then 'cascade' when 'n' then 'set null'
                                  when 'd' then 'set default' when 'r' then 'restrict' end as rule
        from pg_constraint k join tables t on t.oid = k.conrelid join pg_class p on p.oid = k.confrelid
        where k.contype = 'f'
    )";

/// Queries the catalogue. Sorts the rows here, since a server's order depends on its locale.
async fn query_catalogue<T>(conn: &mut PgConnection, query: &str) -> Vec<T>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin + Ord,
{
    let query = AssertSqlSafe(format!("{CATALOGUE} {query}"));
    let mut found: Vec<T> = sqlx::query_as(query).fetch_all(conn).await.unwrap();
    found.sort();
    found
}

/// Expects no rows from a query of the catalogue for what breaks a rule.
#[track_caller]
fn check_none(query: &str) {
    check_all(query, &[]);
}

/// Expects exactly these rows from a query of the catalogue.
#[track_caller]
fn check_all(query: &str, expected: &[&str]) {
    with_database(async |db| {
        let found: Vec<(String,)> = query_catalogue(&mut *db.pool().acquire().await?, query).await;
        let found: Vec<String> = found.into_iter().map(|(line,)| line).collect();
        assert_eq!(found, expected);
        Ok(())
    });
}

#[test]
fn the_committed_schema_is_what_the_migrations_make_on_this_version_of_the_server() {
    with_database(async |db| {
        let project = product::project();
        let mut conn = db.pool().acquire().await?;
        let schema = migrations::schema::read(&mut conn, &project.left_out()).await?;
        let committed = fs::read_to_string(product::folder().join("schema.txt"))?;
        assert_eq!(committed, schema.text(Scope::Portable), "write it: cargo xtask prepare");
        Ok(())
    });
}

#[test]
fn every_table_belongs_to_an_app() {
    let project = product::project();
    let owned: BTreeSet<&str> = project.apps.iter().flat_map(|app| &app.tables).map(String::as_str).collect();
    check_all("select name from tables", &owned.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_table_has_a_primary_key() {
    check_none(
        "select name from tables t
         where not exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary)",
    );
}

#[test]
fn every_table_has_a_comment() {
    check_none("select name from tables where coalesce(obj_description(oid, 'pg_class'), '') = ''");
}

#[test]
fn every_foreign_key_has_an_index_that_begins_with_its_columns() {
    // A partial index without nulls is enough: Postgres never looks up references to a deleted row by null.
    check_none(
        "select name from foreign_keys f
         where not exists (
             select from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
             where i.indrelid = f.oid and i.indisvalid and m.amname = 'btree'
               and (i.indkey::int2[])[0:cardinality(f.numbers) - 1] @> f.numbers
               and coalesce(pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', f.columns[1]), true)
               and (i.indpred is null or cardinality(f.columns) = 1)
         )",
    );
}

#[test]
fn every_updated_at_has_its_trigger() {
    check_none(
        "select name from columns c
         where c.column = 'updated_at' and not exists (
             select from pg_trigger t
             where t.tgrelid = c.oid and t.tgenabled = 'O'
               and pg_get_triggerdef(t.oid) = format(
                   'CREATE TRIGGER %I BEFORE UPDATE ON public.%I FOR EACH ROW EXECUTE FUNCTION touch_updated_at()',
                   t.tgname, c.child
               )
         )",
    );
}

#[test]
fn every_timestamp_has_a_time_zone() {
    check_none(
        "select name || ' ' || type from columns
         where type ~ '^(timestamp|time)\\M' and type !~ '^timestamp.* with time zone'",
    );
}

#[test]
fn every_text_is_text() {
    check_none("select name || ' ' || type from columns where type ~ '^(character|bpchar|\"char\")'");
}

#[test]
fn every_document_is_jsonb() {
    check_none("select name || ' ' || type from columns where type ~ '^json\\M'");
}

#[test]
fn every_constraint_is_validated() {
    check_none(
        "select k.conname::text from pg_constraint k join tables t on t.oid = k.conrelid where not k.convalidated",
    );
}

#[test]
fn every_index_is_valid() {
    check_none(
        "select i.indexrelid::regclass::text from pg_index i join tables t on t.oid = i.indrelid
         where not (i.indisvalid and i.indisready and i.indislive)",
    );
}

#[test]
fn every_foreign_key_stays_in_its_app_or_follows_depends_on_except_four() {
    with_database(async |db| {
        let project = product::project();
        let app_of =
            |table: &str| project.apps.iter().find(|app| app.tables.iter().any(|t| t == table)).unwrap();
        let keys: Vec<(String, String, Vec<String>)> = query_catalogue(
            &mut *db.pool().acquire().await?,
            "select child, parent, columns from foreign_keys",
        )
        .await;
        let mut against = Vec::new();
        for (child, parent, columns) in keys {
            let (from, to) = (app_of(&child), app_of(&parent));
            if from.name != to.name && !from.depends_on.contains(&to.name) {
                against.push(format!("{child}.{} -> {parent}", columns.join("+")));
            }
        }
        against.sort();
        assert_eq!(against, BACK_REFERENCES);
        Ok(())
    });
}
