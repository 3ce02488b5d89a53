//! What becomes of a test's database: a passing one's goes, a failing one's stays, with the two commands for it.

use duct::cmd;

use crate::{
    borrowing::{Shared, databases},
    native_server::wait_until,
    suite::{Suite, runners},
};

#[test]
fn the_database_of_a_passing_test_goes_and_that_of_a_failing_one_stays_as_it_says() {
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
            let said = format!("{}{}", failed.stdout, failed.stderr);
            let name = suite.database();
            let command = |what: &str| {
                let lines = said.lines().filter_map(|line| line.trim().strip_prefix(what));
                lines.map(|line| line.trim().to_owned()).find(|line| line.contains(&name)).unwrap()
            };
            let open = format!(
                "{} --no-align --tuples-only --command 'select count(*) from roles'",
                command("open it:")
            );
            assert_eq!(cmd!("sh", "-c", open).read().unwrap(), "3");
            assert!(databases(&shared.url()).contains(&name));
            cmd!("sh", "-c", command("remove it:")).stdout_null().run().unwrap();
            assert!(!databases(&shared.url()).contains(&name));
        }
    }
}
