//! Many tests at once, and more tests than a server has connections for.

use std::{collections::HashSet, ffi::OsStr, time::Duration};

use sqlx::AssertSqlSafe;
use tests::service::{Lifetime, Service, Starter};
use tokio::{net::UnixListener, time::sleep};

use crate::{
    borrowing::{Host, RIGHT, Shared, ask, begin, borrower, databases, outcome_line, printed_lines},
    checkout::{Checkout, outcome},
    native_server::{NativeServer, wait_until},
};

#[test]
fn fifty_processes_get_a_thousand_databases_of_their_own_and_leave_none() {
    let shared = Shared::started();
    let write = "insert into roles (name, display_name, description) values ('mine', 'Mine', 'Mine')";
    let words = ["seeded", "20", "pass", RIGHT, write];
    let all: Vec<_> = (0..50).map(|_| begin(&borrower(&shared.checkout, &words, &[]))).collect();
    let lines: Vec<String> = all.iter().flat_map(printed_lines).collect();
    assert_eq!(lines.len(), 1000);
    // With another test's row there would be four roles.
    let names = lines.iter().map(|line| line.strip_suffix(" 9 3").unwrap_or_else(|| panic!("{line}")));
    let names: HashSet<&str> = names.collect();
    assert_eq!(names.len(), 1000);
    let url = shared.url();
    wait_until("all are gone", || !databases(&url).iter().any(|name| names.contains(&name[..])));
}

#[test]
fn fifty_processes_at_once_build_a_template_once() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        // A role belongs to the whole server, so a second build of the template fails.
        let role = format!("built_{}", db.name());
        checkout.migration("loans/0002_once", &format!("create role {role};"), "select 1;");
        let url = db.url();
        let words = ["seeded", "1", "pass", RIGHT];
        let server = [(tests::service::SERVER, OsStr::new(&url))];
        let all: Vec<_> = (0..50).map(|_| begin(&borrower(&checkout, &words, &server))).collect();
        for one in &all {
            assert!(printed_lines(one)[0].ends_with(" 9 3"));
        }
        sqlx::query(AssertSqlSafe(format!("drop role {role}"))).execute(db.pool()).await?;
        Ok(())
    });
}

#[test]
fn two_checkouts_on_one_server_never_get_each_others_schema() {
    tests::empty().run(async |db| {
        let url = db.url();
        let host_with = |table: &str| {
            let checkout = Checkout::new();
            checkout.migration("loans/0002_own", &format!("create table {table} (id int);"), "select 1;");
            let host = Host::start(&checkout, &url);
            (checkout, host)
        };
        let (ours, theirs) = (host_with("ours"), host_with("theirs"));
        let tables = "select string_agg(tablename, '+') from pg_tables where tablename in ('ours', 'theirs')";
        for content in ["seeded", "unseeded", "recycled", "transaction", "loans/0002_own"] {
            let started: Vec<_> = [&ours, &theirs, &ours, &theirs]
                .map(|(checkout, host)| begin(&host.borrower(checkout, &[content, "2", "pass", tables])))
                .into();
            for (handle, expected) in started.iter().zip([" ours", " theirs", " ours", " theirs"]) {
                let lines = printed_lines(handle);
                assert!(lines.len() == 2 && lines.iter().all(|line| line.ends_with(expected)), "{lines:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn edited_migrations_reach_the_next_test() {
    let shared = Shared::started();
    let look =
        ["pass", "select count(*) from pg_tables where tablename = 'newer'", "select count(*) from roles"];
    for content in ["seeded", "recycled", "transaction"] {
        assert_eq!(outcome_line(&shared.borrow(&[&[content, "1"], &look[..]].concat()))[1..], ["0", "3"]);
    }
    shared.checkout.migration("loans/0002_newer", "create table newer (id int);", "drop table newer;");
    shared.checkout.write("loans/seed.sql", "update roles set description = 'edited' where name = 'member';");
    for content in ["seeded", "recycled", "transaction"] {
        assert_eq!(outcome_line(&shared.borrow(&[&[content, "1"], &look[..]].concat()))[1..], ["1", "3"]);
    }
    shared.checkout.write("loans/0002_newer.up.sql", "create tabel newer (id int);");
    shared.borrow(&["seeded", "1", "pass"]).expect(101, &["loans/0002_newer", "tabel"]);
    shared.checkout.write("loans/0002_newer.up.sql", "create table newer (id bigint);");
    assert_eq!(outcome_line(&shared.borrow(&[&["seeded", "1"], &look[..]].concat()))[1..], ["1", "3"]);
}

/// A server with this number of connections, and its URL.
fn small_server(max_connections: u32) -> (NativeServer, String) {
    let server = NativeServer::new();
    let url = server.xtask(&["server", "url"]).expect(0, &[]).stdout.trim().to_owned();
    ask(&url, &format!("alter system set max_connections = {max_connections}"));
    server.xtask(&["server", "stop"]).expect(0, &[]);
    let url = server.xtask(&["server", "url"]).expect(0, &[]).stdout.trim().to_owned();
    assert_eq!(ask(&url, "show max_connections"), [max_connections.to_string()]);
    (server, url)
}

const PATIENCE: Duration = Duration::from_secs(3);

#[test]
fn if_connections_run_out_tests_wait_and_then_fail_with_the_numbers() {
    let (server, url) = small_server(25);
    let (socket, root) = (server.checkout.root().join("socket"), server.checkout.root().to_owned());
    let mut lifetime = Lifetime::default();
    lifetime.starter = Starter::Present;
    lifetime.patience = PATIENCE;
    let work = async {
        let service = Service::start(url.parse().unwrap(), root, lifetime).await.unwrap();
        let listener = UnixListener::bind(&socket).unwrap();
        let serving = service.clone();
        tokio::spawn(async move { serving.serve(listener).await });
        let mut held = Vec::new();
        let error = loop {
            assert!(held.len() < 5, "25 connections are too few for 5 tests");
            match tests::seeded().borrow_from(&socket, "one more").await {
                Ok(lent) => held.push(lent),
                Err(error) => break format!("{error:#}"),
            }
        };
        // 25 connections, less 3 for superusers and 8 or more for the service itself.
        assert!(held.len() == 1 || held.len() == 2, "{}", held.len());
        let fits = format!("connections to tests, 5 each, so {} tests at a time may hold one", held.len());
        for text in ["no database became free within 3 s", &fits, "raise its max_connections"] {
            assert!(error.contains(text), "no `{text}` in: {error}");
        }
        // The next test waits only until another one gives its database back.
        let waiting = tests::empty();
        let giving_back = async {
            sleep(PATIENCE / 10).await;
            held.pop();
        };
        let (next, ()) = tokio::join!(waiting.borrow_from(&socket, "the next"), giving_back);
        next.unwrap();
        service.end().await;
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

#[test]
fn a_service_refuses_a_server_without_room_for_one_test_and_shows_the_numbers() {
    let (server, url) = small_server(10);
    let words = ["--server", "url", "server", "host", "--socket", "nowhere.socket"];
    let refused = outcome(&server.checkout.command(&url, &words));
    refused.expect(
        1,
        &[
            "the test server has 7 connections left, and ",
            " are needed: ",
            "5 for a test",
            "raise its max_connections",
        ],
    );
}
