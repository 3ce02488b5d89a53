//! The schema files of the product make all of its migrations.

use std::fs;

use crate::checkout::{Checkout, outcome};

#[test]
fn all_migrations_can_be_written_from_the_schema_files() {
    tests::empty().run(async |db| {
        let committed = Checkout::of_product();
        let checkout = Checkout::of_product();
        remove_migrations(&checkout);
        checkout.xtask(db, &["makemigrations"]).expect(
            0,
            &[
                "migrations/users/0001_initial.up.sql",
                "migrations/organizations/0001_initial.down.sql",
                "migrations/progress/0001_initial.up.sql",
            ],
        );
        let text = |path: &str| fs::read_to_string(checkout.path(path)).unwrap();
        // The keys that lead back to organizations come with these.
        assert!(!text("users/0001_initial.up.sql").contains("organizations (id)"));
        let last = text("organizations/0001_initial.up.sql");
        assert!(last.contains("\n-- depends-on: users/0001_initial\n"), "{last}");
        assert!(last.contains("add constraint users_org_id_fkey"), "{last}");
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        let [from, to] = [&checkout, &committed].map(|it| it.path("").display().to_string());
        let same = outcome(&checkout.command(&db.url(), &["diff", from.as_str(), to.as_str()]));
        assert_eq!(same.expect(0, &[]).stdout, "");
        Ok(())
    });
}

fn remove_migrations(checkout: &Checkout) {
    for app in ["users", "organizations", "progress"] {
        for entry in fs::read_dir(checkout.path(app)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".up.sql") || name.ends_with(".down.sql") {
                checkout.remove(&format!("{app}/{name}"));
            }
        }
    }
}
