//! One ledger: each side sees what the other applied or reverted.

use crate::{
    APPS,
    checkout::Checkout,
    snapshot::{shape, snapshot},
    sqlx,
};

const ALL_APPLIED: &str = "people\n [X] 0001_initial\nlibrary\n [X] 0001_initial\n [X] 0002_add_manager\n [X] 0003_index_staff\n\
                           loans\n [X] 0001_initial\n";

#[test]
fn sqlx_has_nothing_to_do_after_our_migrate() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let before = snapshot(db).await;
        for (app, expected) in [
            ("people", "1/installed initial\n"),
            ("library", "1/installed initial\n2/installed add manager\n3/installed index staff\n"),
            ("loans", "1/installed initial\n"),
        ] {
            assert_eq!(sqlx(&checkout, db, app, "migrate info").expect(0, &[]).stdout, expected);
            assert_eq!(sqlx(&checkout, db, app, "migrate run").expect(0, &[]).stdout, "");
        }
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn our_migrate_has_nothing_to_do_after_sqlx() {
    let (mut ours, mut theirs) = Default::default();
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for app in APPS {
            sqlx(&checkout, db, app, "migrate run").expect(0, &["Applied 1/migrate initial"]);
        }
        assert_eq!(checkout.xtask(db, &["showmigrations"]).expect(0, &[]).stdout, ALL_APPLIED);
        let before = snapshot(db).await;
        checkout.xtask(db, &["migrate"]).expect(0, &["5 migrations", "0 pending"]);
        checkout
            .xtask(db, &["db-check"])
            .expect(3, &["5 differences", "10 seeded rows of roles_permissions"]);
        assert_eq!(before, snapshot(db).await);
        theirs = shape(db).await;
        Ok(())
    });
    tests::empty().run(async |db| {
        Checkout::new().xtask(db, &["migrate"]).expect(0, &[]);
        ours = shape(db).await;
        Ok(())
    });
    assert_eq!(ours, theirs);
}

#[test]
fn each_reverts_what_the_other_applied() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let whole = shape(db).await;
        sqlx(&checkout, db, "library", "migrate revert").expect(0, &["Applied 3/revert index staff"]);
        checkout.xtask(db, &["showmigrations"]).expect(0, &["[X] 0002_add_manager\n [ ] 0003_index_staff"]);
        sqlx(&checkout, db, "library", "migrate run").expect(0, &["Applied 3/migrate index staff"]);
        checkout.xtask(db, &["migrate", "library", "0001"]).expect(0, &["reverted"]);
        sqlx(&checkout, db, "library", "migrate info")
            .expect(0, &["1/installed initial\n2/pending add manager\n3/pending index staff"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["library/0002_add_manager", "applied"]);
        assert_eq!(whole, shape(db).await);
        Ok(())
    });
}

#[test]
fn each_continues_where_the_other_stopped() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate", "people"]).expect(0, &["people/0001_initial"]);
        sqlx(&checkout, db, "library", "migrate run --target-version 1").expect(0, &["Applied 1/"]);
        checkout.xtask(db, &["migrate", "library"]).expect(0, &["library/0002_add_manager", "applied"]);
        sqlx(&checkout, db, "loans", "migrate run").expect(0, &["Applied 1/"]);
        checkout
            .xtask(db, &["db-check"])
            .expect(3, &["5 differences", "10 seeded rows of roles_permissions"]);
        Ok(())
    });
}

#[test]
fn an_edited_file_is_refused_by_both() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate", "people"]).expect(0, &[]);
        sqlx(&checkout, db, "library", "migrate run").expect(0, &[]);
        // Each edits what the other applied.
        for app in ["people", "library"] {
            checkout.replace(&format!("{app}/0001_initial.up.sql"), "Creates", "Makes");
        }
        let before = snapshot(db).await;
        for app in ["people", "library"] {
            sqlx(&checkout, db, app, "migrate run").expect(1, &["error: migration 1 was previously applied"]);
            sqlx(&checkout, db, app, "migrate info").expect(0, &["1/installed (different checksum) initial"]);
            let file = format!("migrations/{app}/0001_initial.up.sql is not the file that was applied");
            checkout.xtask(db, &["migrate"]).expect(1, &[&file]);
        }
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn we_run_the_files_that_sqlx_adds() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        sqlx(&checkout, db, "loans", "migrate add add_note")
            .expect(0, &["Creating migrations/loans/0002_add_note.up.sql", "loans/0002_add_note.down.sql"]);
        checkout.xtask(db, &["showmigrations", "loans"]).expect(0, &[" [ ] 0002_add_note"]);
        let up = "alter table loans add column note text;";
        checkout.migration("loans/0002_add_note", up, "alter table loans drop column note;");
        checkout.xtask(db, &["migrate"]).expect(0, &["loans/0002_add_note", "applied"]);
        sqlx(&checkout, db, "loans", "migrate info").expect(0, &["2/installed add note"]);
        sqlx(&checkout, db, "loans", "migrate revert").expect(0, &["Applied 2/revert add note"]);
        Ok(())
    });
}
