//! `inspect --schema-file` writes the files that `makemigrations` begins with.

use std::fs;

use sqlx::{AssertSqlSafe, Executor};

use super::{make, text, ups};
use crate::checkout::Checkout;

#[test]
fn the_files_make_what_the_migrations_make() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["inspect", "--schema-file"]).expect(
            0,
            &["migrations/people/schema.sql", "migrations/library/schema.sql", "migrations/loans/schema.sql"],
        );
        // The key that closes the circle stands with its table, though another app's migration made it.
        assert!(
            text(&checkout, "people/schema.sql").contains("constraint people_branch_id_fkey foreign key")
        );
        make(&checkout, db, &[]).expect(0, &["the migrations make what the schema files say"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_foreign_key_may_rely_on_another_index_than_before() {
    let manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n[[app]]\nname = \"a\"\ndepends-on = []\n\
                    reversible = false\nledger = \"migrations.a\"\ntables = [\"jobs\", \"workers\"]\n";
    // The key relies on the one index that there is; in the file, the primary key comes with its table.
    let history = "create table workers (id int not null); create unique index workers_id on workers (id);
                   create table jobs (worker int references workers (id));
                   alter table workers add primary key (id);";
    tests::empty().run(async |db| {
        let checkout = Checkout::with_files(manifest, &[("a/0001_first.sql", history)]);
        checkout.xtask(db, &["inspect", "--schema-file"]).expect(0, &["created    migrations/a/schema.sql"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        make(&checkout, db, &["--check"]).expect(0, &["the migrations make what the schema files say"]);
        Ok(())
    });
}

#[test]
fn no_file_is_overwritten_unless_that_is_meant() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout
            .xtask(db, &["inspect", "--schema-file", "loans"])
            .expect(0, &["migrations/loans/schema.sql"]);
        assert!(!checkout.path("people/schema.sql").exists());
        let first = text(&checkout, "loans/schema.sql");
        fs::write(checkout.path("loans/schema.sql"), "-- mine\n").unwrap();
        checkout.xtask(db, &["inspect", "--schema-file"]).expect(1, &["loans/schema.sql exists", "--force"]);
        assert_eq!(text(&checkout, "loans/schema.sql"), "-- mine\n");
        checkout.xtask(db, &["inspect", "--schema-file", "--force", "loans"]).expect(0, &[]);
        assert_eq!(text(&checkout, "loans/schema.sql"), first);
        Ok(())
    });
}

#[test]
fn the_files_can_be_written_from_a_database_that_no_migration_made() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for (app, numbers) in [("people", 1), ("library", 2), ("loans", 1)] {
            for name in &ups(&checkout, app)[..numbers] {
                db.pool().execute(AssertSqlSafe(text(&checkout, &format!("{app}/{name}")))).await?;
            }
        }
        db.pool()
            .execute(
                "create schema extra; create table extra.stray (state loan_state, id serial);
                 create view late as select name from people join loans on person_id = people.id;
                 comment on view late is 'Who has something.'",
            )
            .await?;
        for app in ["people", "library", "loans"] {
            for name in ups(&checkout, app) {
                checkout.remove(&format!("{app}/{name}"));
                checkout.remove(&format!("{app}/{}", name.replace(".up.", ".down.")));
            }
        }
        let write = ["inspect", "--schema-file", "--live"];
        checkout
            .xtask(db, &write)
            .expect(1, &["no list in apps.toml says whose these are", "table extra.stray", "--app APP"]);
        assert!(!checkout.path("loans/schema.sql").exists());
        checkout
            .xtask(db, &[&write[..], &["--app", "library"]].concat())
            .expect(0, &["migrations/people/schema.sql", "they make what the database has"]);
        // What serves the tables of one app goes with them.
        for (app, sql) in [
            ("people", "create function public.touch_updated_at()"),
            ("loans", "create type public.loan_state"),
            ("loans", "create view public.late"),
            ("library", "create table extra.stray"),
        ] {
            assert!(text(&checkout, &format!("{app}/schema.sql")).contains(sql), "{app}: {sql}");
        }
        checkout.xtask(db, &write).expect(1, &["schema.sql exists; nothing was written"]);
        Ok(())
    });
}

#[test]
fn no_password_of_a_database_gets_into_a_file_or_a_plan() {
    let manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n[[app]]\nname = \"a\"\ndepends-on = []\n\
                    reversible = false\nledger = \"migrations.a\"\ntables = []\n";
    let first = "create foreign data wrapper w; create server s foreign data wrapper w;
                 create user mapping for public server s options (\"user\" 'first', password 'of the file');";
    tests::empty().run(async |db| {
        let checkout = Checkout::with_files(manifest, &[("a/0001_first.sql", first)]);
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let alter = async |options: &str| {
            let alter = format!("alter user mapping for public server s options ({options})");
            db.pool().execute(AssertSqlSafe(alter)).await
        };
        alter("set password 'of the server'").await?;
        checkout.xtask(db, &["db-check"]).expect(0, &["exactly as the files say"]);
        let plan = ["db-check", "--fix-plan"];
        assert_eq!(checkout.xtask(db, &plan).expect(0, &[]).stdout, "");
        alter("set \"user\" 'second'").await?;
        let shown = checkout.xtask(db, &plan);
        assert!(!shown.expect(3, &["set \"user\" 'first'"]).stdout.contains("of the"), "{}", shown.stdout);
        checkout.xtask(db, &["inspect", "--schema-file", "--live", "--app", "a"]).expect(0, &[]);
        let file = text(&checkout, "a/schema.sql");
        assert!(file.contains("\"password\" '(not shown)'") && !file.contains("of the server"), "{file}");
        Ok(())
    });
}
