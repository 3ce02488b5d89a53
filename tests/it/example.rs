//! The README's example, word for word.

#[test]
fn every_role_has_a_name_to_show() {
    tests::with_database(async |db| {
        let nameless: i64 = sqlx::query_scalar("select count(*) from roles where display_name = ''")
            .fetch_one(db.pool())
            .await?;
        assert_eq!(nameless, 0);
        Ok(())
    });
}
