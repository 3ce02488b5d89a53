//! Tests without a service, with a service that is killed, and on a server that restarts.

use std::ffi::OsStr;

use crate::{
    borrowing::{Host, RIGHT, Waiting, ask, borrower, databases, kill, outcome_line},
    checkout::{Checkout, outcome},
    native_server::{NativeServer, wait_until},
};

/// The databases that tests got, without the templates.
fn test_databases(url: &str) -> Vec<String> {
    let mut names = databases(url);
    names.retain(|name| name.starts_with("scratch_") && !name.starts_with("scratch_template_"));
    names
}

impl NativeServer {
    /// The URL of the running server. Starts the server if necessary.
    pub(crate) fn server_url(&self) -> String {
        self.xtask(&["server", "url"]).expect(0, &[]).stdout.trim().to_owned()
    }

    /// Waits until the sessions of killed processes are gone, sweeps, and expects that only these databases of tests remain.
    #[track_caller]
    pub(crate) fn expect_swept(&self, left: &[&str]) {
        let url = self.server_url();
        let sessions = "select count(*) from pg_stat_activity where application_name = 'scratch databases' or datname like 'scratch%'";
        wait_until("their sessions are gone", || ask(&url, sessions) == ["0"]);
        let list = outcome(&self.checkout.command(&url, &["--server", "url", "scratch", "list"]));
        let swept = outcome(&self.checkout.command(&url, &["--server", "url", "scratch", "sweep"]));
        assert_eq!(swept.code, 0, "{swept:?}");
        assert_eq!(test_databases(&url), left, "{list:?}\n{swept:?}");
    }
}

#[test]
fn without_a_service_a_test_creates_and_removes_its_own_database() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let url = db.url();
        let server = [(tests::service::SERVER, OsStr::new(&url))];
        for content in ["seeded", "recycled", "transaction"] {
            let output = outcome(&borrower(&checkout, &[content, "2", "pass", RIGHT], &server))
                .expect(0, &[])
                .stdout
                .clone();
            for line in output.lines() {
                let (name, right) = line.split_once(' ').unwrap();
                assert_eq!(right, "9 3");
                let count = "select count(*) from pg_database where datname = $1";
                let count: i64 = sqlx::query_scalar(count).bind(name).fetch_one(db.pool()).await?;
                assert_eq!(count, 0, "{name}");
            }
            assert_eq!(output.lines().count(), 2);
        }
        Ok(())
    });
}

#[test]
fn a_suite_continues_without_its_killed_service() {
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
    let left = test_databases(&url);
    assert!(!left.is_empty() && !left.iter().any(|name| name == next[0]), "{left:?}");
    server.expect_swept(&[]);
}

#[test]
fn a_restart_of_the_server_fails_only_the_tests_that_are_running() {
    let server = NativeServer::new();
    let url = server.server_url();
    let host = Host::start(&server.checkout, &url);
    let holder = Waiting::begin(&host.borrower(&server.checkout, &["seeded", "1", "wait", RIGHT]));
    server.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    // The service has no database with this content ready.
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
    // The service takes its lock again, so that a sweep does not treat its databases as a dead service's.
    wait_until("the lock is held again", || {
        ask(&url, "select count(*) from pg_locks where locktype = 'advisory'") == ["1"]
    });
    drop(host);
    server.expect_swept(&[]);
}
