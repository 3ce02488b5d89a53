//! Verbs that hand out the database warn if it lacks migrations of the checkout.

use crate::{
    checkout::{Checkout, outcome},
    fixture::with_database,
    native_server::NativeServer,
};

const WARNING_VERBS: &[&[&str]] =
    &[&["db-url"], &["db-shell", "--command", "select 1"], &["server", "start"]];

#[test]
fn verbs_that_use_a_database_without_some_migrations_warn_on_standard_error() {
    with_database(async |db| {
        let checkout = Checkout::new();
        for args in WARNING_VERBS {
            let output = checkout.xtask(db, args);
            assert_eq!(output.expect(0, &[]).stderr, "", "{args:?}");
        }
        checkout.migration("loans/0002_add_note", "alter table loans add note text", "select 1");
        for args in WARNING_VERBS {
            let output = checkout.xtask(db, args);
            let warning = "warning: the database lacks 1 migration of this checkout: loans/0002_add_note\n  \
                           apply them: cargo xtask migrate\n";
            assert_eq!(output.expect(0, &[]).stderr, warning, "{args:?}");
        }
        Ok(())
    });
}

#[test]
fn a_broken_migration_locks_no_one_out_of_the_server() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    for broken in ["people/0002_broken.sql", "people/0002_broken.up.sql", "nowhere/0001_initial.up.sql"] {
        // No program reads it, no file goes back, or it belongs to no app.
        it.checkout.write(broken, "-- depends-on: nothing/0009_nothing\nselect 1");
        it.xtask(&["migrate"]).expect(1, &["error: "]);
        for (args, said) in [
            (&["server", "status"] as &[&str], "running"),
            (&["server", "stop"], "stopped"),
            (&["server", "start"], "started"),
            (&["server", "url"], "/postgres"),
            (&["server", "sweep"], "of killed commands removed"),
            (&["db-url"], "postgres://"),
            (&["db-shell", "--command", "select 40 + 2"], "42"),
            (&["scratch", "list"], "no test server is running"),
            (&["scratch", "sweep"], "0 throwaway databases"),
        ] {
            it.xtask(args).expect(0, &[said]);
        }
        it.checkout.remove(broken);
    }
    it.checkout.replace("apps.toml", "[[app]]", "[[appp]]");
    it.xtask(&["db-drop"]).expect(0, &["dropped"]);
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
}

#[test]
fn the_warning_counts_many_migrations_and_reports_one_that_the_checkout_lacks() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["db-url"]).expect(0, &["lacks 5 migrations", "library/0002_add_manager, …"]);
        checkout.migration("loans/0002_add_note", "alter table loans add note text", "select 1");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.remove("loans/0002_add_note.up.sql");
        checkout.remove("loans/0002_add_note.down.sql");
        checkout.xtask(db, &["db-url"]).expect(0, &["warning: ", "loans/0002"]);
        Ok(())
    });
}

#[test]
fn verbs_do_not_wait_for_a_database_that_does_not_answer() {
    let checkout = Checkout::new();
    let unreachable = "postgres://app@127.0.0.1:1/app";
    let output = outcome(&checkout.command(unreachable, &["db-url"]));
    assert_eq!(output.expect(0, &[unreachable]).stderr, "");
}
