//! What a written migration does to rows.

use sqlx::Executor;

use super::{fixture, make};

#[test]
fn a_value_that_is_too_long_for_its_new_type_stops_the_migration_and_is_not_cut_off() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("insert into people (email, name, bio) values ('a@b', 'A', 'long')").await?;
        checkout.replace("people/schema.sql", "    bio        text,", "    bio        varchar(3),");
        make(&checkout, db, &[]).expect(0, &["people/0002_change_people_bio"]);
        checkout.xtask(db, &["migrate"]).expect(1, &["value too long for type character varying(3)"]);
        let bio: String = sqlx::query_scalar("select bio from people").fetch_one(db.pool()).await?;
        assert_eq!(bio, "long");
        db.pool().execute("update people set bio = 'new'").await?;
        checkout.xtask(db, &["migrate"]).expect(0, &["people/0002_change_people_bio"]);
        Ok(())
    });
}
