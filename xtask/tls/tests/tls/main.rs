//! Commands of `cargo xtask` on a server that accepts encrypted connections only.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../../../../tests/it/borrowing.rs"]
mod borrowing;
#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../../../../tests/it/checkout.rs"]
mod checkout;
#[expect(dead_code, reason = "of the helpers that all tests share, these need some")]
#[path = "../../../../tests/it/native_server.rs"]
mod native_server;
#[path = "../../../../tests/it/tls_server.rs"]
mod tls_server;

use crate::{
    checkout::{Checkout, outcome},
    tls_server::{CONNECTIONS, TlsServer},
};

#[test]
fn every_command_connects_with_tls_and_trusts_only_the_right_certificates() {
    let (server, checkout) = (TlsServer::start(), Checkout::new());
    for (host, database, parameters, connects) in CONNECTIONS {
        // Without encryption the usual program does the work.
        let url = server.url(host, database, parameters);
        let said = outcome(
            &checkout.command(&url, &["showmigrations"]).env("SSL_CERT_FILE", server.file("wrong.crt")),
        );
        // A server on this machine may prefer what it likes: nothing is built for it.
        let expected = *connects && !parameters.ends_with("prefer");
        assert_eq!(said.code == 0, expected, "{url}: {said:?}");
    }
    let url = server.url("localhost", "app", "sslmode=verify-full&sslrootcert={}/right.crt");
    let run = |args: &[&str]| outcome(&checkout.command(&url, args));
    run(&["migrate"]).expect(0, &["0 pending"]);
    run(&["seed"]).expect(0, &[]);
    run(&["db-shell", "--command", "select ssl from pg_stat_ssl where pid = pg_backend_pid()"])
        .expect(0, &[" t\n"]);
    run(&["migrate", "loans", "zero"]).expect(0, &["reverted"]);
    run(&["db-check"]).expect(3, &["pending"]);
    let wrong = server.url("localhost", "app", "sslmode=verify-full&sslrootcert={}/wrong.crt");
    outcome(&checkout.command(&wrong, &["migrate"]))
        .expect(1, &["no encrypted connection to localhost", "sslrootcert="]);
}
