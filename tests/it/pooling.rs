//! A connection pooler in front of the server: a real PgBouncer, on a Unix socket.

use std::{fs, os::unix::net::UnixStream, path::Path};

use duct::{Handle, cmd};
use migrations::{Error, Session, Settings, database};
use rustix::process::getuid;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, query_scalar};
use tempfile::TempDir;
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, Outcome, built, outcome},
    fixture::with_database,
    frozen::at_the_server,
    native_server::wait_until,
    snapshot::snapshot,
};

/// A part of the socket's name.
const PORT: u16 = 6432;

struct Pooler {
    process: Handle,
    _folder: TempDir,
    url: String,
}

impl Pooler {
    /// Starts one in front of a database's server.
    fn start(db: &TestDatabase, mode: &str, ignored: &str) -> Pooler {
        let server = db.options();
        let (host, port, role) = (server.get_host(), server.get_port(), server.get_username());
        let url = db.url();
        let password = url.split_once('@').unwrap().0.rsplit_once(':').unwrap().1;
        let (private, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (sockets, settings) = (folder.path().display(), private.path().join("pgbouncer.ini"));
        let text = format!(
            "[databases]\n* = host={host} port={port} user={role} password={password}\n[pgbouncer]\nlisten_addr =\n\
             listen_port = {PORT}\nunix_socket_dir = {sockets}\nauth_type = any\npool_mode = {mode}\n\
             ignore_startup_parameters = {ignored}\n"
        );
        fs::write(&settings, text).unwrap();
        // It does not run as root.
        let account: &[&str] = if getuid().is_root() { &["--user", "daemon"] } else { &[] };
        if let [.., user] = account {
            cmd!("chown", user, folder.path()).run().unwrap();
        }
        let words = account.iter().map(Path::new).chain([Path::new("--quiet"), &settings]);
        // Debian's folder for it is not on the path of everyone.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
        let process = cmd("pgbouncer", words).env("PATH", path).stderr_capture().start().unwrap();
        let socket = folder.path().join(format!(".s.PGSQL.{PORT}"));
        wait_until("PgBouncer answers", || {
            assert!(process.try_wait().unwrap().is_none(), "PgBouncer ended");
            UnixStream::connect(&socket).is_ok()
        });
        let url = format!("postgres://{role}@localhost:{PORT}/{}?host={sockets}", db.name());
        Pooler { process, _folder: folder, url }
    }

    async fn connect(&self) -> PgConnection {
        database::options(&self.url).unwrap().connect().await.unwrap()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}

#[test]
fn every_command_refuses_a_pooler_and_names_the_direct_port() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let [dump, another] =
            ["dump", "another"].map(|name| checkout.root().join(name).display().to_string());
        checkout.xtask(db, &["dumpdata", "--output", &dump]).expect(0, &[]);
        let before = snapshot(db).await;
        let program = built("backend");
        let direct = format!("write its own port, {}", db.options().get_port());
        for (mode, ignored, words) in [
            ("transaction", "extra_float_digits, options", [&*direct, "it drops the settings of a session"]),
            ("session", "extra_float_digits, options", [&*direct, "it drops the settings of a session"]),
            (
                "transaction",
                "extra_float_digits",
                ["write its own port", "unsupported startup parameter: options"],
            ),
            ("transaction", "", ["write its own port", "unsupported startup parameter: extra_float_digits"]),
        ] {
            let pooler = Pooler::start(db, mode, ignored);
            let refused = |outcome: Outcome| {
                outcome
                    .expect(4, &["refused: a connection pooler such as PgBouncer is in front of the server"]);
                outcome.expect(4, &["nothing was touched"]).expect(4, &words);
            };
            for args in [
                &["db-setup"] as &[&str],
                &["db-check"],
                &["db-drop", "--force", "--confirm", db.name()],
                &["db-reset", "--force"],
                &["migrate"],
                &["migrate", "--plan"],
                &["showmigrations"],
                &["adopt"],
                &["seed"],
                &["flush"],
                &["dumpdata", "--output", &another],
                &["loaddata", &dump, "--replace"],
                &["inspect"],
                &["diff", &pooler.url, "migrations"],
                &["sqlx", "--app", "loans", "migrate", "info"],
                &["scratch"],
                &["verify"],
                &["server", "start"],
            ] {
                refused(outcome(&checkout.command(&pooler.url, args).dir(checkout.root())));
            }
            for args in [&["migrate"] as &[&str], &["check"], &["changepassword", "--noinput"]] {
                let backend = cmd(&program, args).env("DATABASE_URL", &pooler.url);
                refused(outcome(&backend.stdin_null().unchecked()));
            }
        }
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn a_pooler_that_passes_the_settings_on_may_not_change_the_server_process() {
    with_database(async |db| {
        // PgBouncer passes none of them on. This is the one by which a session recognises that.
        at_the_server(db, &format!("alter database {} set migrations.pinned = 'on'", db.name())).await;
        let lock = async |pooler: &Pooler| {
            let options = database::options(&pooler.url)?;
            let mut session = Session::connect(&options, Settings::default()).await?;
            // Takes a process that is free, if the session has none of its own.
            let mut other = pooler.connect().await;
            other.execute(sqlx::raw_sql("begin")).await?;
            let locked = session.lock(&mut |_| {}).await.map(drop);
            other.close().await?;
            anyhow::Ok(locked)
        };
        let ignored = "extra_float_digits, options";
        let sessions = Pooler::start(db, "session", ignored);
        lock(&sessions).await??;
        let checkout = Checkout::new();
        outcome(&checkout.command(&sessions.url, &["migrate", "loans", "zero"])).expect(0, &[]);
        outcome(&checkout.command(&sessions.url, &["migrate"])).expect(0, &["applied"]);

        let transactions = Pooler::start(db, "transaction", ignored);
        match lock(&transactions).await? {
            Err(Error::Pooler { found, port: Some(port) }) => {
                assert_eq!(found, "it changes the server process between two transactions");
                assert_eq!(port, db.options().get_port().to_string());
            }
            other => panic!("{other:?}"),
        }
        let locks = "select count(*) from pg_locks where locktype = 'advisory' and database = \
                     (select oid from pg_database where datname = current_database())";
        assert_eq!(query_scalar::<_, i64>(locks).fetch_one(db.pool()).await?, 0);
        Ok(())
    });
}
