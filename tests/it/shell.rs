//! `db-shell` is psql, pointed at the development database.

use std::{ffi::OsStr, fs};

use duct::cmd;

use crate::{
    borrowing::{RIGHT, Shared, borrower, outcome_line, surrounded},
    checkout::{Checkout, outcome, xtask},
    fixture::with_database,
    native_server::NativeServer,
};

#[test]
fn db_shell_passes_arguments_standard_input_and_the_exit_code_on() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let count = checkout.xtask(
            db,
            &["db-shell", "--tuples-only", "--no-align", "--command", "select count(*) from roles"],
        );
        assert_eq!(count.expect(0, &[]).stdout, "3\n");
        let script = "select count(*) from permissions;\n";
        let file = checkout.root().join("script.sql");
        fs::write(&file, script)?;
        let piped =
            outcome(&checkout.reading(&db.url(), &["db-shell", "--", "--tuples-only", "--no-align"], &file));
        assert_eq!(piped.expect(0, &[]).stdout, "6\n");
        checkout
            .xtask(db, &["db-shell", "--set=ON_ERROR_STOP=1", "--command", "selec"])
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

#[test]
fn no_variable_of_the_user_that_is_meant_for_another_server_reaches_a_client_of_ours() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    let shared = Shared::new();
    let ask = ["psql", "--no-psqlrc", "--no-align", "--tuples-only", "--command", "select 40 + 2"];
    for (name, value) in [
        ("PGSSLMODE", "require"),
        ("PGSSLMODE", "verify-full"),
        ("PGSSLROOTCERT", "/nowhere/root.crt"),
        ("PGSSLNEGOTIATION", "direct"),
        ("PGHOST", "/nowhere"),
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGPORT", "1"),
        ("PGUSER", "nobody"),
        ("PGDATABASE", "nowhere"),
        ("PGPASSWORD", "wrong"),
        ("PGSERVICE", "nowhere"),
        ("PGCHANNELBINDING", "require"),
        ("PGREQUIREAUTH", "none"),
        ("PGGSSENCMODE", "require"),
        ("PGTARGETSESSIONATTRS", "standby"),
        ("PGREQUIREPEER", "nobody"),
        ("PGCLIENTENCODING", "nothing"),
        ("PGDATESTYLE", "nothing"),
    ] {
        let variable = [(name, OsStr::new(value))];
        let shell = it.xtask_in(&[&["db-shell"], &ask[1..]].concat(), &variable);
        assert_eq!(shell.expect(0, &[]).stdout, "42\n", "{name}");
        let scratch = cmd(xtask(), [&["scratch", "--exec"], &ask[..]].concat());
        let scratch = outcome(&surrounded(&shared.checkout, scratch, &variable));
        assert_eq!(scratch.expect(0, &[]).stdout, "42\n", "{name}");
        let test = borrower(&shared.checkout, &["seeded", "1", "pass", RIGHT], &variable);
        assert_eq!(outcome_line(&outcome(&test))[1..], ["9", "3"], "{name}");
    }
}
