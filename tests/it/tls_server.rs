//! A server that accepts encrypted connections only, and certificates for it, right ones and wrong ones.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use duct::cmd;

use crate::native_server::NativeServer;

/// A native server with TLS.
pub(crate) struct TlsServer {
    pub(crate) native: NativeServer,
    place: String,
}

/// Runs openssl in a folder.
fn openssl(folder: &Path, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    cmd("openssl", words).dir(folder).stdout_null().stderr_capture().run().unwrap();
}

/// Makes a certificate authority: `NAME.crt` and `NAME.key`.
fn authority(folder: &Path, name: &str) {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.crt"
        ),
    );
}

/// Makes a certificate for a common name, signed by an authority.
fn certificate(folder: &Path, authority: &str, file: &str, name: &str) {
    openssl(
        folder,
        &format!("req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {file}.key -out {file}.csr"),
    );
    fs::write(folder.join("extensions"), format!("subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\n"))
        .unwrap();
    openssl(
        folder,
        &format!(
            "x509 -req -in {file}.csr -CA {authority}.crt -CAkey {authority}.key -CAcreateserial -days 2 -extfile extensions -out {file}.crt"
        ),
    );
    // A client's key must be private to be accepted.
    fs::set_permissions(folder.join(format!("{file}.key")), fs::Permissions::from_mode(0o600)).unwrap();
}

impl TlsServer {
    /// Starts one, with the fixture migrated in its database `app`.
    pub(crate) fn start() -> TlsServer {
        let native = NativeServer::new();
        native.xtask(&["db-setup"]).expect(0, &[]);
        let place = native.url().split_once("://").unwrap().1.to_owned();
        native.xtask(&["server", "stop"]).expect(0, &["stopped"]);
        let (root, data) = (native.checkout.root(), native.data());
        authority(root, "right");
        authority(root, "wrong");
        certificate(root, "right", "server", "localhost");
        certificate(root, "right", "client", "app");
        certificate(root, "wrong", "stranger", "app");
        for file in ["server.crt", "server.key", "right.crt"] {
            fs::copy(root.join(file), data.join(file)).unwrap();
        }
        fs::set_permissions(data.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
        let settings = fs::read_to_string(data.join("postgresql.conf")).unwrap();
        fs::write(data.join("postgresql.conf"), settings + "\nssl = on\nssl_ca_file = 'right.crt'\n")
            .unwrap();
        // The server's own checkout connects without TLS, to `postgres`. `certified` takes a certificate instead of the password.
        let hba = "hostssl certified all 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 scram-sha-256\n\
                   host postgres all 127.0.0.1/32 scram-sha-256\n";
        fs::write(data.join("pg_hba.conf"), hba).unwrap();
        native.xtask(&["server", "start"]).expect(0, &["started"]);
        let url = native.xtask(&["server", "url"]).expect(0, &[]).stdout.trim().to_owned();
        crate::borrowing::ask(&url, "create database certified template app");
        TlsServer { native, place }
    }

    /// The path of a file: `right.crt`, `wrong.crt`, `client.crt`, `stranger.crt`, and their keys.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.native.checkout.root().join(name)
    }

    /// A connection string for a host, a database and parameters, in which `{}` is the folder of the files.
    pub(crate) fn url(&self, host: &str, database: &str, parameters: &str) -> String {
        let place = self.place.replace("127.0.0.1", host).replace("/app", &format!("/{database}"));
        let folder = self.native.checkout.root().display().to_string();
        format!("postgres://{place}?{}", parameters.replace("{}", &folder))
    }
}

/// Parameters, with the host and the database, and whether the connection is made.
pub(crate) const CONNECTIONS: &[(&str, &str, &str, bool)] = &[
    ("localhost", "app", "sslmode=require", true),
    ("127.0.0.1", "app", "sslmode=prefer", true),
    ("127.0.0.1", "app", "sslmode=disable", false),
    ("localhost", "app", "sslmode=verify-full&sslrootcert={}/right.crt", true),
    ("127.0.0.1", "app", "sslmode=verify-ca&sslrootcert={}/right.crt", true),
    // Another name, another authority, and one that the system does not know.
    ("127.0.0.1", "app", "sslmode=verify-full&sslrootcert={}/right.crt", false),
    ("localhost", "app", "sslmode=verify-full&sslrootcert={}/wrong.crt", false),
    ("localhost", "app", "sslmode=verify-ca&sslrootcert={}/wrong.crt", false),
    ("localhost", "app", "sslmode=verify-full", false),
    ("localhost", "certified", "sslmode=require&sslcert={}/client.crt&sslkey={}/client.key", true),
    ("localhost", "certified", "sslmode=require&sslcert={}/stranger.crt&sslkey={}/stranger.key", false),
    ("localhost", "certified", "sslmode=require", false),
];
