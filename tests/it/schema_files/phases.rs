//! Changes of tables that may hold rows come in steps, each of which lets readers and writers go on.

use sqlx::Executor;

use super::{append, fixture, make, text};

#[test]
fn a_key_a_check_and_an_index_are_added_in_steps() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace(
            "loans/schema.sql",
            "constraint loans_fee_check check (fee >= 0)",
            "constraint loans_fee_check check (fee >= 0 and fee < 100),\n    branch_id uuid,\n    \
             constraint loans_branch_id_fkey foreign key (branch_id) references branches on delete set null",
        );
        checkout.replace("apps.toml", "name = \"loans\"\ndepends-on = [\"people\"]", "name = \"loans\"\ndepends-on = [\"people\", \"library\"]");
        append(&checkout, "loans", "create index loans_branch_id_idx on loans (branch_id); comment on index loans_branch_id_idx is 'For deletes.';");
        make(&checkout, db, &["--name", "add_branch"]).expect(
            0,
            &["loans/0002_add_branch.up.sql", "loans/0003_add_branch_index.up.sql", "loans/0004_add_branch_validate.up.sql"],
        );
        let change = text(&checkout, "loans/0002_add_branch.up.sql");
        assert_eq!(change.matches(" not valid;").count(), 2, "{change}");
        assert_eq!(
            text(&checkout, "loans/0003_add_branch_index.up.sql"),
            "-- no-transaction\n-- Creates the index loans_branch_id_idx.\n-- Tried with rows: keeps all rows.\n\n\
             create index concurrently loans_branch_id_idx on public.loans using btree (branch_id);\n"
        );
        let validate = text(&checkout, "loans/0004_add_branch_validate.up.sql");
        assert_eq!(validate.matches(" validate constraint ").count(), 2, "{validate}");
        assert!(validate.contains("comment on index public.loans_branch_id_idx is 'For deletes.'"), "{validate}");
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_column_refuses_null_after_its_rows_were_checked() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("insert into people (email, name) values ('a@b', 'A')").await?;
        checkout.replace("people/schema.sql", "bio        text,", "bio        text not null,");
        make(&checkout, db, &["--name", "need_bio"])
            .expect(0, &["people/0002_need_bio", "people/0003_need_bio_validate"]);
        // The rows stop the second step alone, and it goes on when they are corrected.
        checkout
            .xtask(db, &["migrate"])
            .expect(1, &["people/0002_need_bio", "people/0003_need_bio_validate failed"]);
        db.pool().execute("update people set bio = ''").await?;
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_unique_constraint_takes_an_index_that_was_built_before() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace(
            "loans/schema.sql",
            "constraint loans_pkey",
            "constraint loans_barcode_key unique nulls not distinct (barcode) include (fee) deferrable,\n    constraint loans_pkey",
        );
        make(&checkout, db, &["--name", "one_barcode"]).expect(
            0,
            &["loans/0002_one_barcode.up.sql", "loans/0003_one_barcode_finish.up.sql"],
        );
        assert!(text(&checkout, "loans/0002_one_barcode.up.sql").contains(
            "create unique index concurrently loans_barcode_key on public.loans (barcode) include (fee) nulls not distinct;"
        ));
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn an_index_that_changes_stays_until_its_successor_is_built() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("library/schema.sql", "on branches (manager_id)", "on branches (manager_id, name)");
        checkout.replace("library/schema.sql", "unique (slug)", "unique (slug, name)");
        make(&checkout, db, &["--name", "wider"]).expect(
            0,
            &["library/0004_wider.up.sql", "library/0005_wider_index.up.sql", "library/0006_wider_finish.up.sql"],
        );
        assert!(!checkout.path("library/0007_wider_finish.up.sql").exists());
        let built = text(&checkout, "library/0004_wider.up.sql") + &text(&checkout, "library/0005_wider_index.up.sql");
        assert_eq!(built.matches("index concurrently ").count(), 2, "{built}");
        let last = text(&checkout, "library/0006_wider_finish.up.sql");
        let swapped = "drop index public.branches_manager_id_idx;\n\nalter index public.branches_manager_id_idx_new rename to branches_manager_id_idx;";
        assert!(last.contains(swapped), "{last}");
        assert!(last.contains("add constraint branches_slug_key unique using index branches_slug_key_new;"), "{last}");
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn what_the_same_run_relies_on_is_made_at_once() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace(
            "loans/schema.sql",
            "constraint loans_pkey",
            "constraint loans_barcode_key unique (barcode),\n    constraint loans_pkey",
        );
        append(&checkout, "loans", "create table fines (barcode text references loans (barcode));");
        make(&checkout, db, &["--name", "add_fines"]).expect(0, &["loans/0002_add_fines.up.sql"]);
        assert!(!checkout.path("loans/0003_add_fines_validate.up.sql").exists());
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn quick_writes_a_change_at_once() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("people/schema.sql", "bio        text,", "bio        text not null,");
        append(&checkout, "people", "create index people_bio_idx on people (bio);");
        make(&checkout, db, &["--quick", "--name", "need_bio"]).expect(0, &["people/0002_need_bio"]);
        let up = text(&checkout, "people/0002_need_bio.up.sql");
        assert!(!up.contains("not valid") && !up.contains("concurrently"), "{up}");
        assert!(!checkout.path("people/0003_need_bio_validate.up.sql").exists());
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}
