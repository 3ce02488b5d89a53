//! Tests on a server without a service, or with one that dies, or on a server that dies.

use std::ffi::OsStr;

use crate::{
    borrowing::{Host, RIGHT, Waiting, ask, borrower, databases, kill, outcome_line},
    checkout::{Checkout, outcome},
    native_server::{NativeServer, wait_until},
};

/// Databases that a test got.
fn lent(url: &str) -> Vec<String> {
    let mut names = databases(url);
    names.retain(|name| name.starts_with("scratch_") && !name.starts_with("scratch_template_"));
    names
}

impl NativeServer {
    /// The server itself, running.
    pub(crate) fn server_url(&self) -> String {
        self.xtask(&["server", "url"]).expect(0, &[]).stdout.trim().to_owned()
    }

    /// Sweeps, once Postgres has seen the end of whoever was killed, and nothing is left but this.
    #[track_caller]
    pub(crate) fn expect_swept(&self, left: &[&str]) {
        let url = self.server_url();
        let sessions = "select count(*) from pg_stat_activity where application_name = 'scratch databases' or datname like 'scratch%'";
        wait_until("their sessions are gone", || ask(&url, sessions) == ["0"]);
        let list = outcome(&self.checkout.command(&url, &["--server", "url", "scratch", "list"]));
        let swept = outcome(&self.checkout.command(&url, &["--server", "url", "scratch", "sweep"]));
        assert_eq!(swept.code, 0, "{swept:?}");
        assert_eq!(lent(&url), left, "{list:?}\n{swept:?}");
    }
}

#[test]
fn without_a_service_a_test_makes_and_removes_its_database_itself() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let url = db.url();
        let server = [(tests::service::SERVER, OsStr::new(&url))];
        for content in ["seeded", "recycled", "transaction"] {
            let told = outcome(&borrower(&checkout, &[content, "2", "pass", RIGHT], &server))
                .expect(0, &[])
                .stdout
                .clone();
            for line in told.lines() {
                let (name, right) = line.split_once(' ').unwrap();
                assert_eq!(right, "9 3");
                let there = "select count(*) from pg_database where datname = $1";
                let there: i64 = sqlx::query_scalar(there).bind(name).fetch_one(db.pool()).await?;
                assert_eq!(there, 0, "{name}");
            }
            assert_eq!(told.lines().count(), 2);
        }
        Ok(())
    });
}

#[test]
fn a_suite_whose_service_is_killed_goes_on_without() {
    let server = NativeServer::new();
    let url = server.server_url();
    let host = Host::start(&server.checkout, &url);
    let both =
        [(tests::service::SERVICE, host.socket.as_os_str()), (tests::service::SERVER, OsStr::new(&url))];
    for content in ["seeded", "recycled"] {
        let words = [content, "1", "wait", RIGHT];
        let holder = Waiting::begin(&borrower(&server.checkout, &words, &both));
        if content == "recycled" {
            kill(&host.process);
        }
        assert!(holder.line.ends_with(" 9 3\n"), "{}", holder.line);
        let output = holder.end();
        assert!(output.status.success(), "{output:?}");
    }
    let next = outcome(&borrower(&server.checkout, &["seeded", "1", "pass", RIGHT], &both));
    let next = outcome_line(&next);
    assert_eq!(next[1..], ["9", "3"]);
    let left = lent(&url);
    assert!(!left.is_empty() && !left.iter().any(|name| name == next[0]), "{left:?}");
    server.expect_swept(&[]);
}

#[test]
fn a_server_that_is_restarted_fails_the_tests_of_that_moment_alone() {
    let server = NativeServer::new();
    let url = server.server_url();
    let host = Host::start(&server.checkout, &url);
    let holder = Waiting::begin(&host.borrower(&server.checkout, &["seeded", "1", "wait", RIGHT]));
    server.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    // None of this content was made ahead.
    let down = host.borrow(&server.checkout, &["unseeded", "1", "pass"]);
    down.expect(101, &["no database for this test: connect to the test server", "refused"]);
    assert_eq!(server.server_url(), url);
    let output = holder.end();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("terminating connection due to administrator command"),
        "{said}"
    );
    assert_eq!(
        outcome_line(&host.borrow(&server.checkout, &["seeded", "1", "pass", RIGHT]))[1..],
        ["9", "3"]
    );
    // The service holds its lock again, so what it has is not taken for a dead one's.
    wait_until("the lock is held again", || {
        ask(&url, "select count(*) from pg_locks where locktype = 'advisory'") == ["1"]
    });
    drop(host);
    server.expect_swept(&[]);
}
