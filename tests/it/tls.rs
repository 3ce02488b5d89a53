//! Encrypted connections, on a server that accepts no others.

use std::{ffi::OsStr, fs, os::unix::fs::PermissionsExt};

use duct::cmd;

use crate::{
    borrowing::surrounded,
    checkout::{Checkout, built, outcome, xtask},
    tls_server::{CONNECTIONS, TlsServer},
};

#[test]
fn the_backend_connects_with_tls_and_trusts_only_the_right_certificates() {
    let server = TlsServer::start();
    let check = |url: &str, roots: &str| {
        let backend =
            cmd!(built("backend"), "check").env("DATABASE_URL", url).env("SSL_CERT_FILE", server.file(roots));
        outcome(&backend.stdin_null().unchecked())
    };
    for (host, database, parameters, connects) in CONNECTIONS {
        let said = check(&server.url(host, database, parameters), "wrong.crt");
        // It has connected if it found what is in the database of another project.
        assert_eq!(said.code, if *connects { 3 } else { 1 }, "{host} {database} {parameters}: {said:?}");
    }
    // The system's authorities.
    let url = server.url("localhost", "app", "sslmode=verify-full");
    check(&url, "right.crt").expect(3, &["unexpected"]);
    check(&url, "wrong.crt").expect(1, &["certificate"]);
}

#[test]
fn the_program_with_tls_is_built_only_for_a_server_that_needs_it() {
    let checkout = Checkout::new();
    let root = checkout.root();
    // Beside this copy there is no other program, so every one that is needed is built, by this cargo.
    let (program, cargo) = (root.join("xtask"), root.join("cargo"));
    fs::copy(xtask(), &program).unwrap();
    fs::write(&cargo, "#!/bin/sh\necho \"cargo $*\" >&2; exit 1\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |url: &str| {
        let url = [("DATABASE_URL", OsStr::new(url))];
        outcome(&surrounded(&checkout, cmd!(&program, "migrate"), &url).env("CARGO", &cargo).stdin_null())
    };
    for url in [
        "postgres://app:x@127.0.0.1:1/app?sslmode=require",
        "postgres://app:x@localhost:1/app?sslmode=verify-full",
        "postgres://app:x@db.example.org/app",
    ] {
        run(url).expect(
            1,
            &[
                "building the program that connects with TLS",
                "cargo build",
                "--package xtask-tls",
                "could not be built",
            ],
        );
    }
    for url in ["postgres://app:x@127.0.0.1:1/app", "postgres://app:x@localhost:1/app?sslmode=prefer"] {
        run(url).expect(1, &["no server answers"]);
    }
}
