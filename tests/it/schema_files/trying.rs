//! The head of a new migration says what it was found to do with rows.

use super::{append, fixture, make, text};

#[test]
fn a_loss_and_what_the_way_back_cannot_restore_are_said() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("loans/schema.sql", "    barcode    text             not null,\n", "");
        checkout.replace("loans/schema.sql", "unique (person_id, barcode)", "unique (person_id, id)");
        make(&checkout, db, &["--quick", "--allow-data-loss", "--name", "no_barcode"]).expect(0, &[]);
        let up = text(&checkout, "loans/0002_no_barcode.up.sql");
        assert!(up.contains("\n-- Tried with rows: loses loans.barcode.\n"), "{up}");
        let down = text(&checkout, "loans/0002_no_barcode.down.sql");
        let why = "-- Does not run over rows: column \"barcode\" of relation \"loans\" contains null values.";
        assert!(down.contains(why), "{down}");
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_rename_and_a_wider_type_keep_all_rows() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace(
            "people/schema.sql",
            "bio        text,",
            "about      varchar(99), -- renamed-from: bio",
        );
        make(&checkout, db, &["--name", "about"]).expect(0, &[]);
        let up = text(&checkout, "people/0002_about.up.sql");
        assert!(up.contains("\n-- Tried with rows: keeps all rows.\n"), "{up}");
        let down = text(&checkout, "people/0002_about.down.sql");
        assert!(!down.contains("Does not run"), "{down}");
        Ok(())
    });
}

#[test]
fn values_that_a_type_rounds_are_named() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace(
            "loans/schema.sql",
            "fee        double precision,",
            "fee        double precision,\n    share      numeric,",
        );
        make(&checkout, db, &[]).expect(0, &[]);
        checkout.replace("loans/schema.sql", "share      numeric,", "share      numeric check (share < 1),");
        make(&checkout, db, &["--name", "small"]).expect(0, &[]);
        checkout.replace("loans/schema.sql", "share      numeric check", "share      int check");
        make(&checkout, db, &["--name", "whole"]).expect(0, &[]);
        let up = text(&checkout, "loans/0005_whole.up.sql");
        assert!(up.contains("-- Tried with rows: changes values of loans.share.\n"), "{up}");
        Ok(())
    });
}

#[test]
fn a_value_that_only_looks_different_is_kept() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace(
            "loans/schema.sql",
            "    barcode    text ",
            "    shelf      smallint,\n    barcode    text ",
        );
        make(&checkout, db, &[]).expect(0, &[]);
        checkout.replace("loans/schema.sql", "shelf      smallint", "shelf      numeric(9,2)");
        make(&checkout, db, &["--name", "finer"]).expect(0, &[]);
        let up = text(&checkout, "loans/0003_finer.up.sql");
        assert!(up.contains("-- Tried with rows: keeps all rows.\n"), "{up}");
        Ok(())
    });
}

#[test]
fn rows_that_a_change_refuses_are_said() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("people/schema.sql", "bio        text,", "bio        text not null,");
        make(&checkout, db, &["--name", "need_bio"]).expect(0, &[]);
        let up = text(&checkout, "people/0003_need_bio_validate.up.sql");
        let why = "-- Tried with rows: fails on some, ";
        assert!(up.contains(why), "{up}");
        Ok(())
    });
}

#[test]
fn rows_that_only_the_new_schema_allows_may_stop_the_way_back() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("people/schema.sql", "display_name text    not null", "display_name text");
        make(&checkout, db, &["--name", "no_display_name"]).expect(0, &[]);
        let up = text(&checkout, "people/0002_no_display_name.up.sql");
        assert!(up.contains("-- Tried with rows: keeps all rows."), "{up}");
        let down = text(&checkout, "people/0002_no_display_name.down.sql");
        assert!(down.contains("-- Does not run over rows that were not possible before: column"), "{down}");
        Ok(())
    });
}

#[test]
fn a_table_that_no_generated_row_fits_is_named() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        let table = "create table keys (id int primary key, hash text not null constraint is_hash check (hash ~ '^[g-k]{7}#[0-9]$'));";
        append(&checkout, "people", table);
        let closed = "create table closed (id int);
            create function closed() returns trigger language plpgsql as $$ begin raise exception 'closed'; end $$;
            create trigger closed before insert on closed execute function closed();";
        append(&checkout, "people", closed);
        make(&checkout, db, &["--name", "keys"]).expect(0, &["people/0002_keys"]);
        checkout.replace("people/schema.sql", "create table keys (id int primary key,", "create table keys (id int primary key, name text,");
        checkout.replace("people/schema.sql", "create table closed (id int", "create table closed (id int, name text");
        make(&checkout, db, &["--name", "key_names"]).expect(0, &[]);
        let up = text(&checkout, "people/0003_key_names.up.sql");
        let untried = "\n-- Not tried with rows: closed, which refuses rows: closed; keys, its check is_hash.\n";
        assert!(up.contains(untried) && !up.contains("keeps all rows"), "{up}");
        Ok(())
    });
}

#[test]
fn a_domain_and_an_enum_are_tried_with_their_values() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        append(
            &checkout,
            "loans",
            "create domain grade as text constraint one_letter check (value ~ '^[A-F]$' or value in ('none', 'lost'));\n\
             create table marks (id int primary key, mark grade not null, state loan_state not null);",
        );
        make(&checkout, db, &["--name", "marks"]).expect(0, &["loans/0002_marks"]);
        checkout.replace("loans/schema.sql", " or value in ('none', 'lost')", " or value = 'none'");
        checkout.replace("loans/schema.sql", "'returned', 'lost'", "'returned'");
        make(&checkout, db, &["--allow-data-loss", "--name", "fewer"]).expect(0, &[]);
        let up = text(&checkout, "loans/0003_fewer.up.sql");
        assert!(up.contains("-- Tried with rows: fails on some, invalid input value for enum") , "{up}");
        Ok(())
    });
}
