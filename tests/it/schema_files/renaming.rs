//! A rename that a schema file names keeps the rows, both ways.

use sqlx::Executor;

use super::{fixture, make, text};
use crate::screen::at_a_terminal;

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
        let roles = text(&checkout, "people/schema.sql").replace("people_roles", "memberships");
        checkout.write("people/schema.sql", &roles);
        let other = "table public.people_roles goes, and memberships comes with the same columns";
        make(&checkout, db, &[]).expect(1, &[question, other, "`-- renamed-from: people_roles` above it"]);
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

#[test]
fn a_person_at_the_terminal_says_whether_it_is_a_rename() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("people/schema.sql", "    bio        text,", "    about      text,");
        let roles = text(&checkout, "people/schema.sql").replace("people_roles", "memberships");
        checkout.write("people/schema.sql", &roles);
        let mut terminal = at_a_terminal(&checkout, db, &["makemigrations", "--name", "no"], "1");
        terminal.expect("table public.people_roles goes, and memberships comes with the same columns; is it the same table? [y/n] ");
        terminal.type_line("n");
        terminal.expect("column public.people.bio goes, and about comes with the same type; is it the same column? [y/n] ");
        terminal.type_line("n");
        let (code, seen) = terminal.end();
        assert!(code == 4 && seen.contains("loses column public.people.bio"), "{code} {seen}");

        let mut terminal = at_a_terminal(&checkout, db, &["makemigrations", "--name", "yes"], "1");
        terminal.expect("is it the same table? [y/n] ");
        terminal.type_line("maybe");
        terminal.expect("is it the same table? [y/n] ");
        terminal.type_line("y");
        terminal.expect("is it the same column? [y/n] ");
        terminal.type_line("yes");
        let (code, seen) = terminal.end();
        assert_eq!(code, 0, "{seen}");
        let up = text(&checkout, "people/0002_yes.up.sql");
        assert!(up.contains("rename column bio to about;") && up.contains("rename to memberships;"), "{up}");
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}
