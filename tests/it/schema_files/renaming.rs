//! A rename that a schema file names keeps the rows, both ways.

use sqlx::Executor;

use super::{fixture, make, text};

#[test]
fn a_column_and_a_table_that_are_renamed_keep_their_rows() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("insert into people (email, name, bio) values ('a@b', 'A', 'text')").await?;
        checkout.replace(
            "people/schema.sql",
            "    bio        text,",
            "    about      text, -- renamed-from: bio",
        );
        let roles = text(&checkout, "people/schema.sql").replace("people_roles", "memberships");
        let roles = roles.replace(
            "create table memberships (",
            "-- renamed-from: people_roles\ncreate table memberships (",
        );
        checkout.write("people/schema.sql", &roles);
        make(&checkout, db, &[]).expect(0, &["people/0002_rename_people_roles_and_more", "apps.toml"]);
        let up = text(&checkout, "people/0002_rename_people_roles_and_more.up.sql");
        assert!(up.contains("alter table public.people rename column bio to about;"), "{up}");
        assert!(text(&checkout, "apps.toml").contains("\"memberships\""));
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);

        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let about: String = sqlx::query_scalar("select about from people").fetch_one(db.pool()).await?;
        assert_eq!(about, "text");
        checkout.xtask(db, &["migrate", "people", "0001", "--confirm", db.name()]).expect(0, &[]);
        let bio: String = sqlx::query_scalar("select bio from people").fetch_one(db.pool()).await?;
        assert_eq!(bio, "text");
        // The lines stay in the file, and say nothing more.
        make(&checkout, db, &[]).expect(0, &["the migrations make what the schema files say"]);
        Ok(())
    });
}

#[test]
fn a_likely_rename_is_a_question_that_nothing_answers_by_itself() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("people/schema.sql", "    bio        text,", "    about      text,");
        let question = "column public.people.bio goes, and about comes with the same type";
        make(&checkout, db, &[]).expect(1, &[question, "`-- renamed-from: bio`", "--allow-data-loss"]);
        make(&checkout, db, &["--allow-data-loss"]).expect(0, &["people/0002_"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_line_that_names_nothing_is_an_error_with_its_place() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace(
            "loans/schema.sql",
            "double precision,",
            "double precision,\n    -- renamed-from: biography\n    due_on date,",
        );
        make(&checkout, db, &[])
            .expect(1, &["migrations/loans/schema.sql:", "the migrations make no `biography`"]);
        let path = checkout.path("loans/schema.sql");
        std::fs::write(
            &path,
            text(&checkout, "loans/schema.sql").replace("    -- renamed-from: biography\n", "")
                + "-- renamed-from: x\n",
        )
        .unwrap();
        make(&checkout, db, &[]).expect(1, &["write `-- renamed-from: old_name` behind a column"]);
        Ok(())
    });
}
