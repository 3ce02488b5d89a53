//! tokio-postgres.

#[tokio::test]
async fn takes_a_database() -> Result<(), Box<dyn std::error::Error>> {
    let database = tests_client::seeded().lend()?;
    let (client, connection) = tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await?;

    let session = tokio::spawn(connection);
    let admins: i64 = client.query_one("select count(*) from roles where name = 'admin'", &[]).await?.get(0);
    assert_eq!(admins, 1);
    drop(client);
    session.await??;
    Ok(())
}
