//! sqlx's own test macro, without any help of ours: under `cargo xtask test`, a database that it creates has the schema.

use sqlx::PgPool;

#[sqlx::test(migrations = false)]
async fn a_database_of_the_stock_macro_is_migrated_and_seeded(pool: PgPool) {
    let roles: i64 = sqlx::query_scalar("select count(*) from roles").fetch_one(&pool).await.unwrap();
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&pool).await.unwrap();
    let project = backend::migrations().unwrap();
    let listed: usize = project.apps.iter().map(|app| app.tables.len()).sum();
    assert_eq!((roles, usize::try_from(tables).unwrap()), (7, listed));
}
