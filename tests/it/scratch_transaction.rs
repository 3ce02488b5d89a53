//! Tests in a transaction that is rolled back, on a database that they share.

use crate::{
    borrowing::{Host, outcome_line},
    checkout::Checkout,
    fixture,
};

const INSERT: &str = "insert into branches (name, slug) values ('One', 'one')";
const COUNT: &str = "select count(*) from branches";
const ENDED: &str = "this test has ended the transaction that it was given";

/// Runs a test with its own service, so that no other test uses the shared database.
fn with_host(test: impl Fn(&dyn Fn(&[&str]) -> crate::checkout::Outcome)) {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let host = Host::start(&checkout, &db.url());
        test(&|words| host.borrow(&checkout, &[&["transaction"], words].concat()));
        Ok(())
    });
}

#[test]
fn the_transaction_of_a_test_is_rolled_back() {
    with_host(|borrow| {
        let output = borrow(&["3", "pass", COUNT, INSERT, COUNT]);
        let lines: Vec<Vec<&str>> = output.stdout.lines().map(|line| line.split(' ').collect()).collect();
        assert_eq!(lines.len(), 3, "{output:?}");
        for line in &lines {
            assert_eq!(line[1..], ["0", "1"], "{output:?}");
            assert_eq!(line[0], lines[0][0], "all share one database");
        }
    });
}

#[test]
fn a_transaction_within_the_transaction_is_a_savepoint() {
    fixture::databases().with_transaction(async |conn| {
        use sqlx::{Connection, Executor};
        let mut inner = conn.begin().await?;
        inner.execute(INSERT).await?;
        inner.rollback().await?;
        let mut inner = conn.begin().await?;
        inner.execute("insert into branches (name, slug) values ('Two', 'two')").await?;
        inner.commit().await?;
        let slugs: Vec<String> =
            sqlx::query_scalar("select slug from branches").fetch_all(&mut *conn).await?;
        assert_eq!(slugs, ["two"]);
        // A failing statement does not fail the test.
        conn.execute("selec 1").await.unwrap_err();
        Ok(())
    });
}

#[test]
fn a_test_that_ends_its_transaction_fails_and_no_other_test_gets_that_database() {
    with_host(|borrow| {
        let first = borrow(&["1", "pass", COUNT]);
        let mut database = outcome_line(&first)[0].to_owned();
        for (end, said) in [("pass", ENDED), ("fail", ENDED), ("panic", "as it should")] {
            let committed = borrow(&["1", end, INSERT, "commit"]);
            committed.expect(101, &[said, &database]);
            let next = borrow(&["1", "pass", COUNT]);
            let next = outcome_line(&next);
            assert_eq!(next[1], "0", "{end}");
            assert_ne!(next[0], database, "{end}");
            database = next[0].to_owned();
        }
    });
}

#[test]
fn a_test_that_fails_in_its_transaction_leaves_nothing() {
    with_host(|borrow| {
        for end in ["fail", "panic"] {
            borrow(&["1", end, INSERT]).expect(101, &["as it should"]);
            let next = borrow(&["1", "pass", COUNT]);
            assert_eq!(outcome_line(&next)[1], "0");
        }
    });
}
