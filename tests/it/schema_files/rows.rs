//! What a written migration does to rows.

use sqlx::Executor;

use super::{fixture, make, text};

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

#[test]
fn a_type_without_a_cast_takes_its_values_from_an_expression() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("insert into people (email, name, bio) values ('a@b', 'A', '  7 ')").await?;
        checkout.replace("people/schema.sql", "bio        text,", "bio        int,");
        let why = "can't turn column public.people.bio from text into integer: there is no cast for it";
        make(&checkout, db, &[]).expect(4, &[why, "`-- using: expression`", "--allow-data-loss"]);
        checkout.replace(
            "people/schema.sql",
            "bio        int,",
            "bio        int, -- using: trim(bio)::int + 1",
        );
        make(&checkout, db, &[]).expect(0, &["people/0002_change_people_bio"]);
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let bio: i32 = sqlx::query_scalar("select bio from people").fetch_one(db.pool()).await?;
        assert_eq!(bio, 8);
        // The line stays in the file, and says nothing more.
        make(&checkout, db, &[]).expect(0, &["the migrations make what the schema files say"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_new_column_takes_its_values_from_an_expression() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("insert into people (email, name) values ('a@b', 'Ada')").await?;
        checkout.replace(
            "people/schema.sql",
            "    bio        text,",
            "    bio        text,\n    initial    text not null, -- using: left(name, 1)",
        );
        make(&checkout, db, &["--name", "initial"])
            .expect(0, &["people/0002_initial", "people/0003_initial_fill", "people/0004_initial_validate"]);
        let fill = text(&checkout, "people/0003_initial_fill.up.sql");
        assert!(fill.contains("update public.people set initial = left(name, 1);"), "{fill}");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let initial: String = sqlx::query_scalar("select initial from people").fetch_one(db.pool()).await?;
        assert_eq!(initial, "A");
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn an_expression_for_no_column_is_an_error_with_its_place() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("loans/schema.sql", "    fee ", "    -- using:\n    fee ");
        make(&checkout, db, &[])
            .expect(1, &["migrations/loans/schema.sql:11: write `-- using: expression` behind a column"]);
        Ok(())
    });
}
