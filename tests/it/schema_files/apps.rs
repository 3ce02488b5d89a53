//! Which app's migration a change becomes, and what its head says.

use sqlx::{AssertSqlSafe, Executor as _};

use super::{append, fixture, make, text, ups};

#[test]
fn a_new_table_is_listed_and_waits_for_what_it_needs() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        append(
            &checkout,
            "loans",
            "create table fines (id int primary key, person_id uuid references people, amount int);",
        );
        append(&checkout, "library", "create table rooms (id int primary key);");
        make(&checkout, db, &[])
            .expect(0, &["loans/0002_create_fines", "library/0004_create_rooms", "apps.toml"]);
        let manifest = text(&checkout, "apps.toml");
        assert!(manifest.contains("tables = [\"fines\", \"loans\"]"), "{manifest}");
        assert!(manifest.contains("tables = [\"branches\", \"rooms\", \"staff\"]"), "{manifest}");
        assert!(manifest.contains("# It also adds the foreign key"), "{manifest}");
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_schema_file_may_name_a_role_that_a_migration_makes() {
    tests::empty().run(async |db| {
        let (checkout, role) = (fixture(), format!("{}_reader", db.name()));
        // The file is read to its end before there is the role.
        let up = format!("select pg_sleep(1);\ncreate role {role};\ngrant select on loans to {role};");
        checkout.migration("loans/0002_reader", &up, &format!("drop owned by {role};\ndrop role {role};"));
        append(&checkout, "loans", &format!("grant select on loans to {role};"));
        make(&checkout, db, &["--check"]).expect(0, &["the migrations make what the schema files say"]);
        db.pool().execute(AssertSqlSafe(format!("drop role {role}"))).await?;
        Ok(())
    });
}

#[test]
fn a_schema_file_may_make_a_role_that_is_there() {
    tests::empty().run(async |db| {
        let (checkout, role) = (fixture(), format!("{}_owner", db.name()));
        append(&checkout, "loans", &format!("create role {role};"));
        for _ in 0..2 {
            make(&checkout, db, &["--check"]).expect(0, &["the migrations make what the schema files say"]);
        }
        db.pool().execute(AssertSqlSafe(format!("drop role {role}"))).await?;
        Ok(())
    });
}

#[test]
fn only_the_apps_that_are_named_are_written() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        append(&checkout, "loans", "create table fines (id int primary key);");
        append(&checkout, "library", "create table rooms (id int primary key);");
        make(&checkout, db, &["library"]).expect(0, &["library/0004_create_rooms"]);
        assert_eq!(ups(&checkout, "loans").len(), 1);
        make(&checkout, db, &[]).expect(0, &["loans/0002_create_fines"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn what_another_app_has_to_make_first_is_written_too() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        append(&checkout, "people", "create table cards (id int primary key);");
        append(&checkout, "library", "create table rooms (id int primary key);");
        append(&checkout, "loans", "create table fines (id int primary key, card_id int references cards);");
        make(&checkout, db, &["loans"]).expect(0, &["people/0002_create_cards", "loans/0002_create_fines"]);
        let manifest = text(&checkout, "apps.toml");
        assert!(manifest.contains("\"cards\"") && manifest.contains("\"fines\""), "{manifest}");
        assert!(!manifest.contains("\"rooms\""), "{manifest}");
        Ok(())
    });
}

#[test]
fn a_drop_waits_for_the_drop_of_another_app() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        append(&checkout, "people", "create table cards (id int primary key);");
        append(&checkout, "loans", "create table fines (id int primary key, card_id int references cards);");
        make(&checkout, db, &[]).expect(0, &["people/0002_create_cards", "loans/0002_create_fines"]);
        let head = text(&checkout, "loans/0002_create_fines.up.sql");
        assert!(head.contains("\n-- depends-on: people/0002_create_cards\n"), "{head}");

        checkout.replace("people/schema.sql", "create table cards (id int primary key);", "");
        checkout.replace("loans/schema.sql", ", card_id int references cards", "");
        make(&checkout, db, &["--allow-data-loss"]).expect(0, &["people/0003_drop_cards", "apps.toml"]);
        let head = text(&checkout, "people/0003_drop_cards.up.sql");
        assert!(head.contains("\n-- after: loans/0003_"), "{head}");
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn an_app_without_a_schema_file_is_left_alone() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.remove("people/schema.sql");
        checkout.remove("library/schema.sql");
        make(&checkout, db, &[]).expect(0, &["the migrations make what the schema files say"]);
        append(
            &checkout,
            "loans",
            "create view borrowers as select name from people join loans on person_id = people.id;",
        );
        make(&checkout, db, &["--name", "see_borrowers"]).expect(0, &["loans/0002_see_borrowers"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        Ok(())
    });
}

#[test]
fn a_new_value_of_an_enum_is_committed_before_it_is_used() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        checkout.replace("loans/schema.sql", "'returned', 'lost'", "'returned', 'lost', 'found'");
        checkout.replace("loans/schema.sql", "check (fee >= 0)", "check (fee >= 0 or state = 'found')");
        make(&checkout, db, &[]).expect(0, &["loans/0002_", "loans/0003_"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        checkout.xtask(db, &["db-setup"]).expect(0, &["as the files say"]);
        Ok(())
    });
}

#[test]
fn a_table_that_moves_to_another_app_changes_the_manifest_alone() {
    tests::empty().run(async |db| {
        let checkout = fixture();
        let table = "create table cards (id int primary key, person_id uuid references people);";
        append(&checkout, "people", table);
        make(&checkout, db, &[]).expect(0, &["people/0002_create_cards"]);
        checkout.replace("people/schema.sql", table, "");
        append(&checkout, "loans", table);
        make(&checkout, db, &["loans"]).expect(0, &["changed", "migrations/apps.toml"]);
        assert_eq!((ups(&checkout, "people").len(), ups(&checkout, "loans").len()), (2, 1));
        let manifest = text(&checkout, "apps.toml");
        assert!(
            manifest.contains("tables = [\"cards\", \"loans\"]\nmoved = { cards = \"people\" }"),
            "{manifest}"
        );
        assert_eq!(manifest.matches("\"cards\"").count(), 1, "{manifest}");
        make(&checkout, db, &[]).expect(0, &["the migrations make what the schema files say"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);

        // What happens to it from now on is the other app's.
        checkout.replace(
            "loans/schema.sql",
            "cards (id int primary key, ",
            "cards (id int primary key, colour text, ",
        );
        make(&checkout, db, &[]).expect(0, &["loans/0002_add_cards_colour"]);
        let head = text(&checkout, "loans/0002_add_cards_colour.up.sql");
        assert!(head.contains("\n-- depends-on: people/0002_create_cards\n"), "{head}");
        checkout.replace("loans/schema.sql", "person_id uuid references people", "person_id uuid");
        make(&checkout, db, &["--name", "free"]).expect(0, &["loans/0003_free"]);
        checkout.xtask(db, &["verify"]).expect(0, &["all of it holds"]);
        checkout.replace("apps.toml", "cards = \"people\"", "cards = \"peple\"");
        checkout
            .xtask(db, &["verify"])
            .expect(1, &["table `cards` has moved from `peple`", "did you mean `people`?"]);
        Ok(())
    });
}
