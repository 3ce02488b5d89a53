//! `db-shell` is psql, pointed at the development database.

use std::fs;

use crate::{
    checkout::{Checkout, outcome},
    fixture::with_database,
};

#[test]
fn db_shell_passes_arguments_standard_input_and_the_exit_code_on() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let count = checkout.xtask(
            db,
            &["db-shell", "--", "--tuples-only", "--no-align", "--command", "select count(*) from roles"],
        );
        assert_eq!(count.expect(0, &[]).stdout, "3\n");
        let script = "select count(*) from permissions;\n";
        let file = checkout.root().join("script.sql");
        fs::write(&file, script)?;
        let piped =
            outcome(&checkout.reading(&db.url(), &["db-shell", "--", "--tuples-only", "--no-align"], &file));
        assert_eq!(piped.expect(0, &[]).stdout, "6\n");
        checkout
            .xtask(db, &["db-shell", "--", "--set=ON_ERROR_STOP=1", "--command", "selec"])
            .expect(1, &["syntax error"]);
        Ok(())
    });
}

#[test]
fn db_shell_without_psql_says_how_to_get_it() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let output = outcome(
            &checkout.with_path(&db.url(), &["db-shell"], "/nonexistent").env("XTASK_PG_BIN", "/nonexistent"),
        );
        output.expect(
            1,
            &[
                "psql is not on this machine's PATH",
                "apt-get install postgresql-client",
                "brew install libpq",
            ],
        );
        Ok(())
    });
}
