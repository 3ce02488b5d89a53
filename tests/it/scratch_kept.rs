//! A passing test removes its database. A failing test keeps it, and prints the commands that open and remove it.

use crate::{
    borrowing::{Shared, databases},
    native_server::wait_until,
    suite::{Suite, runners},
};

#[test]
fn a_passing_test_removes_its_database_and_a_failing_test_keeps_it() {
    let shared = Shared::started();
    let suite = Suite::new(&shared.checkout);
    for runner in runners() {
        assert_eq!(suite.run(runner, "passes").code, 0);
        let name = suite.database();
        wait_until("it is gone", || !databases(&shared.url()).contains(&name));
        for test in ["errs", "panics"] {
            let failed = suite.run(runner, test);
            failed.expect(
                if runner == ["test"] { 101 } else { 100 },
                &["as it should", "kept the database of this failed test"],
            );
            suite.expect_kept(&failed, &shared.url());
        }
    }
}
