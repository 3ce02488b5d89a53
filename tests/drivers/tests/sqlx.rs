//! An older sqlx.

use sqlx::Connection as _;

#[tokio::test]
async fn takes_a_database() -> Result<(), Box<dyn std::error::Error>> {
    let database = tests_client::seeded().lend()?;
    let mut conn = sqlx::PgConnection::connect(database.url()).await?;

    let admins: i64 =
        sqlx::query_scalar("select count(*) from roles where name = 'admin'").fetch_one(&mut conn).await?;
    assert_eq!(admins, 1);
    Ok(())
}
