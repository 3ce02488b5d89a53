//! The error of a failing seed shows file and line, and the seeds of every app are rolled back.

use super::{reference, with_unseeded};
use crate::{checkout::Checkout, snapshot::snapshot};

/// Breaks the seeds, and expects every run on an unseeded database to report this and to keep nothing.
#[track_caller]
fn check_refused(damage: impl Fn(&Checkout), said: &[&str]) {
    with_unseeded(async |checkout, db| {
        let before = snapshot(db).await;
        damage(checkout);
        for verb in [&["seed"][..], &["seed", "--check"], &["seed", "--prune"]] {
            checkout.xtask(db, verb).expect(1, said).expect(1, &["error: ", "nothing of it was kept"]);
        }
        assert_eq!(before, snapshot(db).await);
        assert_eq!(reference(db).await, Vec::<String>::new());
    });
}

#[test]
fn the_error_of_a_failing_seed_shows_its_line_and_the_seeds_of_every_app_are_rolled_back() {
    check_refused(
        |it| {
            it.write(
                "library/seed.sql",
                "insert into branches (name, slug) values ('Acme', 'acme');\n\n\
                 insert into branches (name, slug)\nvalues ('Acme', 'Acme Ltd');\n",
            );
        },
        &[
            "seed of app `library` failed",
            "┌ migrations/library/seed.sql:3",
            "3│ insert into branches (name, slug)",
            "violates check constraint \"branches_slug_check\" (23514)",
            "detail: Failing row contains",
        ],
    );
    check_refused(
        |it| {
            it.write("library/seed.sql", "-- A typo.\ninsert into branchs (name) values ('Acme');\n");
        },
        &[
            "┌ migrations/library/seed.sql:2",
            "2│ insert into branchs (name) values ('Acme');",
            "^^^^^^^ relation \"branchs\" does not exist (42P01)",
        ],
    );
}

#[test]
fn a_deferred_constraint_is_checked_before_the_commit_and_by_check_too() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.write(
            "library/seed.sql",
            "create temporary table later (id int primary key, next int references later deferrable initially deferred) \
             on commit drop;\ninsert into later values (1, 2);\n",
        );
        let before = snapshot(db).await;
        for args in [&["seed", "--check"] as &[&str], &["seed"]] {
            let said = [
                "seed of app `library` failed",
                "migrations/library/seed.sql",
                "later_next_fkey",
            ];
            checkout.xtask(db, args).expect(1, &said);
        }
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn seeds_wait_for_migrations() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let untouched = snapshot(db).await;
        checkout
            .xtask(db, &["seed"])
            .expect(3, &["5 migrations are pending, people/0001_initial first", "cargo xtask migrate"]);
        assert_eq!(untouched, snapshot(db).await);

        checkout.xtask(db, &["migrate", "people"]).expect(0, &[]);
        let in_part = snapshot(db).await;
        checkout
            .xtask(db, &["seed", "--check"])
            .expect(3, &["4 migrations are pending", "cargo xtask migrate"]);
        assert_eq!(in_part, snapshot(db).await);
        Ok(())
    });
}
