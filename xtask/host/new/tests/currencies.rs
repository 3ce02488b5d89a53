//! Each test has a migrated and seeded database of its own.

#[test]
fn every_currency_has_a_name_to_show() {
    tests::with_database(async |db| {
        let nameless: i64 = sqlx::query_scalar("select count(*) from currencies where name = ''")
            .fetch_one(db.pool())
            .await?;
        assert_eq!(nameless, 0);
        Ok(())
    });
}
