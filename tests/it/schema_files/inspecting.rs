//! `inspect --schema-file` writes the files that `makemigrations` begins with.

use std::fs;

use super::{make, text};
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
