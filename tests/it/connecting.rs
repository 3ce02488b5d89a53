//! Which server a command uses, and what it prints if the server is down, too old, or not this checkout's own.

use std::{
    fs, io,
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    thread,
};

use duct::cmd;
use sqlx::Executor;

use crate::{
    checkout::{Checkout, built, outcome},
    snapshot::snapshot,
};

/// What sqlx creates for the ledger of the app `a`.
const LEDGER: &str = "create schema migrations; create table migrations.a (version bigint primary key, description text not null,
    installed_on timestamptz not null default now(), success boolean not null, checksum bytea not null,
    execution_time bigint not null)";

/// Every verb that needs the server.
const VERBS: &[&[&str]] = &[
    &["db-setup"],
    &["db-check"],
    &["db-drop"],
    &["db-reset"],
    &["migrate"],
    &["migrate", "--plan"],
    &["showmigrations"],
    &["seed"],
    &["server", "start"],
];

#[track_caller]
fn check(url: &str, said: &[&str]) {
    let checkout = Checkout::new();
    for args in VERBS {
        outcome(&checkout.command(url, args)).expect(1, said).expect(1, &["error: "]);
    }
}

#[test]
fn a_server_that_is_down_is_reported_with_its_address_and_the_alternatives() {
    // The listener closes at once, so the port is most likely free.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    check(
        &format!("postgres://app:x@127.0.0.1:{port}/app"),
        &[
            &format!("no server answers at 127.0.0.1:{port} (DATABASE_URL (environment))"),
            "correct DATABASE_URL",
            "--server native",
        ],
    );
}

#[test]
fn a_wrong_password_is_reported_with_its_role() {
    tests::empty().run(async |db| {
        let url = db.url();
        let password = url.split_once('@').unwrap().0.rsplit_once(':').unwrap().1;
        let wrong = url.replace(password, "wrong");
        check(
            &wrong,
            &[
                "rejected role `app`: password authentication failed for user \"app\"",
                "correct the user and password in DATABASE_URL",
            ],
        );
        Ok(())
    });
}

#[test]
fn a_server_that_is_too_old_is_reported_with_both_versions() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.replace("apps.toml", "version = 15", "version = 99");
        for args in VERBS.iter().filter(|args| args[0] != "db-drop") {
            checkout
                .xtask(db, args)
                .expect(1, &["error: the server is PostgreSQL 1", "apps.toml requires 99 or newer"]);
        }
        // The database still exists: `db-reset` drops nothing if it can't set up again.
        sqlx::query("select 1").execute(db.pool()).await?;
        Ok(())
    });
}

#[test]
fn a_malformed_connection_string_is_reported_without_showing_it() {
    for (url, said) in [
        ("s3cret", "is not a URL"),
        ("mysql://a:s3cret@localhost/app", "is for `mysql`, and this is Postgres"),
    ] {
        check(
            url,
            &["DATABASE_URL (environment)", said, "write it as postgres://user:password@localhost:5432/app"],
        );
        let printed = outcome(&Checkout::new().command(url, &["db-setup"]));
        assert!(!printed.stderr.contains("s3cret"), "{printed:?}");
    }
}

#[test]
fn a_special_character_in_a_password_is_named_with_how_it_is_written() {
    for (url, said) in [
        ("postgres://app:s3#cret@localhost/app", "the character `#`, which has another meaning in a URL"),
        ("postgres://app:12/s3cret@localhost/app", "write it as `%2F`"),
        ("postgres://app:s3cret%ff@localhost/app", "has a `%` that stands for itself; write it as `%25`"),
    ] {
        check(url, &["DATABASE_URL (environment)", said]);
        let printed = outcome(&Checkout::new().command(url, &["db-setup"]));
        assert!(!printed.stderr.contains("cret"), "{printed:?}");
        let nowhere = tempfile::tempdir().unwrap();
        let deploy =
            cmd!(built("backend"), "migrate").env("DATABASE_URL", url).dir(nowhere.path()).unchecked();
        let printed = outcome(&deploy);
        printed.expect(1, &["DATABASE_URL is not a connection string", said]);
        assert!(!printed.stderr.contains("cret"), "{printed:?}");
    }
}

/// A socket of Postgres in a folder, which passes everything on to a port.
fn socket_for(folder: &Path, port: u16) {
    let listener = UnixListener::bind(folder.join(format!(".s.PGSQL.{port}"))).unwrap();
    thread::spawn(move || {
        for ours in listener.incoming() {
            let (mut ours, mut server) = (ours.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
            let (mut back, mut from) = (ours.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || {
                let _ = io::copy(&mut ours, &mut server);
                let _ = server.shutdown(Shutdown::Write);
            });
            thread::spawn(move || io::copy(&mut from, &mut back));
        }
    });
}

#[test]
fn a_url_without_a_host_reaches_the_server_through_its_socket() {
    tests::empty().run(async |db| {
        let folder = tempfile::tempdir()?;
        let port = db.options().get_port();
        socket_for(folder.path(), port);
        let folder = folder.path().display();
        let url = db.url();
        let user = url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).unwrap().0;
        let (user, password) = user.split_once(':').unwrap();
        let checkout = Checkout::new();
        for url in [
            format!("postgres://{user}:{password}@:{port}/{}?host={folder}", db.name()),
            format!("postgres://{user}:{password}@/{}?host={folder}&port={port}", db.name()),
            format!("postgres:///{}?user={user}&password={password}&host={folder}&port={port}", db.name()),
        ] {
            outcome(&checkout.command(&url, &["migrate"])).expect(0, &[]);
            let shell = ["db-shell", "--command", "\\conninfo"];
            outcome(&checkout.command(&url, &shell)).expect(0, &[&format!("via socket in \"{folder}\"")]);
            let printed = outcome(&checkout.command(&url, &["db-url"]));
            let printed = printed.expect(0, &[]).stdout.trim().to_owned();
            outcome(&checkout.command(&printed, &["showmigrations"])).expect(0, &[]);
        }
        Ok(())
    });
}

#[test]
fn the_environment_overrides_the_env_file() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        fs::write(checkout.root().join(".env"), "DATABASE_URL=postgres://nobody@127.0.0.1:1/none\n")?;
        checkout.xtask(db, &["server", "status"]).expect(0, &["DATABASE_URL (environment)", "running"]);
        outcome(&checkout.command("", &["server", "status"]))
            .expect(0, &["DATABASE_URL (.env)", "unreachable"]);
        Ok(())
    });
}

#[test]
fn a_broken_line_of_the_env_file_is_reported_without_showing_it() {
    let checkout = Checkout::new();
    for text in [
        "A=b\nDATABASE_URL='s3cret\n",
        "# c\nDATABASE_URL s3cret\n",
        "A=b\ns3cret\nDATABASE_URL=postgres://h/d\n",
    ] {
        fs::write(checkout.root().join(".env"), text).unwrap();
        let printed = outcome(&checkout.bare_command(&["db-setup"]));
        printed.expect(1, &[".env:2: this line is not NAME=value, or a quote in it is not closed"]);
        assert!(!printed.stderr.contains("s3cret"), "{printed:?}");
    }
}

#[test]
fn a_dollar_in_the_env_file_is_never_expanded_silently() {
    let checkout = Checkout::new();
    let set = |text: &str| fs::write(checkout.root().join(".env"), text).unwrap();
    let status = || outcome(&checkout.bare_command(&["db-url"]));
    for (value, quote) in [("pa$HOMEx", ""), ("pa$HOME", ""), ("pa$HOME", "\""), ("pa$", "")] {
        set(&format!("A=b\nexport DATABASE_URL={quote}postgres://u:{value}@127.0.0.1:1/d{quote}\n"));
        let printed = status();
        printed.expect(1, &[".env:2: the value of DATABASE_URL has a `$`", "DATABASE_URL='…'", "${NAME}"]);
        assert!(!printed.stderr.contains("pa"), "{printed:?}");
    }
    set("DATABASE_URL=postgres://u:${NO_SUCH_VARIABLE}@127.0.0.1:1/d\n");
    status().expect(1, &[".env:1: the value of DATABASE_URL has a variable that is not set"]);
    for (line, meant) in [
        ("DATABASE_URL='postgres://u:pa$HOMEx@127.0.0.1:1/d'", "pa$HOMEx"),
        ("DATABASE_URL=postgres://u:pa\\$HOMEx@127.0.0.1:1/d", "pa$HOMEx"),
        ("SECRET=word\nDATABASE_URL=postgres://u:${SECRET}@127.0.0.1:1/d", "word"),
    ] {
        set(line);
        status().expect(0, &[&format!("postgres://u:{meant}@127.0.0.1:1/d")]);
    }
}

#[test]
fn what_is_in_the_place_of_the_env_file_is_named() {
    let checkout = Checkout::new();
    let file = checkout.root().join(".env");
    let check = |said: &str| {
        outcome(&checkout.bare_command(&["db-url"])).expect(1, &[said]);
    };
    fs::create_dir(&file).unwrap();
    check(".env is a folder");
    fs::remove_dir(&file).unwrap();
    cmd!("mkfifo", &file).run().unwrap();
    check(".env is a named pipe");
    fs::remove_file(&file).unwrap();
    fs::write(&file, "\u{feff}DATABASE_URL=postgres://h/d\n").unwrap();
    check(".env:1: the file begins with a byte order mark");
    let wide: Vec<u8> =
        "\u{feff}DATABASE_URL=postgres://h/d\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for utf_16 in [&wide, &wide[2..]] {
        fs::write(&file, utf_16).unwrap();
        check(".env:1: the file seems to be UTF-16");
    }
    fs::write(&file, b"A=b\nB=\xff\n").unwrap();
    check(".env:2: this line is not UTF-8");
    fs::remove_file(&file).unwrap();
    symlink("/dev/null", &file).unwrap();
    check("this checkout has no database yet");
}

#[test]
fn choosing_the_server_url_needs_a_url() {
    let printed = outcome(&Checkout::new().bare_command(&["--server", "url", "db-setup"]));
    printed
        .expect(1, &["DATABASE_URL is not set, neither in the environment nor in .env", "--server native"]);
    let checkout = Checkout::new();
    checkout.replace("apps.toml", "version = 15", "server = \"url\"\nversion = 15");
    outcome(&checkout.bare_command(&["db-setup"])).expect(1, &["DATABASE_URL is not set"]);
    checkout.replace("apps.toml", "\"url\"", "\"mainframe\"");
    outcome(&checkout.bare_command(&["db-setup"]))
        .expect(1, &["`server` under [postgres] must be auto, url, docker, native or download"]);
}

#[test]
fn a_url_without_a_database_means_the_one_in_the_manifest() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.replace("apps.toml", "database = \"app\"", &format!("database = \"{}\"", db.name()));
        let url = db.url().replace(db.name(), "");
        outcome(&checkout.command(&url, &["db-setup"])).expect(0, &[db.name(), "kept"]);
        Ok(())
    });
}

#[test]
fn server_stop_refuses_to_stop_a_foreign_server() {
    tests::empty().run(async |db| {
        Checkout::new()
            .xtask(db, &["server", "stop"])
            .expect(1, &["which is not ours to stop", "--server native server stop"]);
        Ok(())
    });
}

#[test]
fn a_missing_right_of_the_role_is_reported() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let role = db.name();
        let create = format!("create role {role} login password 'x'");
        db.pool().execute(sqlx::AssertSqlSafe(create)).await?;
        let (scheme, rest) = db.url().split_once("://").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let url = format!("{scheme}://{role}:x@{}", rest.split_once('@').unwrap().1);
        outcome(&checkout.command(&url, &["migrate"]))
            .expect(1, &["permission denied for database", "(42501)"]);
        let other = format!("{}/another", url.rsplit_once('/').unwrap().0);
        outcome(&checkout.command(&other, &["db-setup"]))
            .expect(1, &["create the database: permission denied to create database"]);
        let reset = outcome(&checkout.command(&url, &["db-reset", "--confirm", db.name()]));
        reset.expect(1, &["may not create databases, so nothing was touched", "alter role"]);
        // A read-only command needs no right to create anything.
        outcome(&checkout.command(&url, &["showmigrations"])).expect(0, &["[ ] 0001_initial"]);
        let drop = format!("drop role {role}");
        db.pool().execute(sqlx::AssertSqlSafe(drop)).await?;
        Ok(())
    });
}

/// A checkout whose first migration needs the rights of the database's owner, and the connection strings of two roles: one
/// that may create schemas in the database, and one that owns it.
async fn two_roles(db: &tests::TestDatabase) -> (Checkout, String, String) {
    let (wrong, right) = (format!("{}_w", db.name()), format!("{}_r", db.name()));
    let setup = format!(
        "create role {wrong} login password 'x'; create role {right} login password 'x';
         grant create on database {name} to {wrong}; alter database {name} owner to {right}",
        name = db.name()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(setup)).execute(db.pool()).await.unwrap();
    let (scheme, rest) = db.url().split_once("://").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let url = |role: &str| format!("{scheme}://{role}:x@{}", rest.split_once('@').unwrap().1);
    (crate::failing_sql::one_app(), url(&wrong), url(&right))
}

async fn drop_roles(db: &tests::TestDatabase) {
    let drop = format!(
        "alter database {name} owner to app; drop owned by {name}_w, {name}_r cascade; drop role {name}_w, {name}_r",
        name = db.name()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(db.pool()).await.unwrap();
}

#[test]
fn a_first_run_that_fails_leaves_no_ledger_behind() {
    tests::empty().run(async |db| {
        let (checkout, wrong, right) = two_roles(db).await;
        let before = snapshot(db).await;
        let refused = outcome(&checkout.command(&wrong, &["migrate"]));
        refused.expect(1, &["permission denied for schema public (42501)", "nothing of it was kept"]);
        assert_eq!(snapshot(db).await, before);
        outcome(&checkout.command(&right, &["migrate"])).expect(0, &["a/0001_first", "applied"]);
        drop_roles(db).await;
        Ok(())
    });
}

#[test]
fn a_ledger_of_another_role_is_handed_over_by_the_sql_of_the_message() {
    tests::empty().run(async |db| {
        let (checkout, wrong, right) = two_roles(db).await;
        // As a run by the wrong role may have left it.
        outcome(&checkout.command(&wrong, &["db-shell", "--command", LEDGER])).expect(0, &[]);
        let refused = outcome(&checkout.command(&right, &["migrate"]));
        let said =
            format!("role `{n}_r` may not read the ledger, which belongs to role `{n}_w`", n = db.name());
        let sql = refused.expect(1, &[&said]).advice("or a superuser:");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(db.pool()).await?;
        outcome(&checkout.command(&right, &["migrate"])).expect(0, &["a/0001_first", "applied"]);
        drop_roles(db).await;
        Ok(())
    });
}

#[test]
fn an_ipv6_address_connects_and_a_database_name_that_is_too_long_is_rejected() {
    let long = "x".repeat(64);
    check(&format!("postgres://app:x@127.0.0.1:1/{long}"), &["names a database of more than 63 bytes"]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    check(&format!("postgres://app:x@[::1]:{port}/app"), &["::1"]);
    let printed =
        outcome(&Checkout::new().command(&format!("postgres://app:x@[::1]:{port}/app"), &["migrate"]));
    assert!(!printed.stderr.contains("lookup"), "{printed:?}");
}

#[test]
fn read_only_commands_open_read_only_sessions() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        // Reading this ledger writes a row, unless the session is read-only.
        let role = db.name();
        let trap = format!(
            "create role {role} login password 'x'; create table public.trap (id int); grant all on public.trap to {role};
             grant usage on schema migrations to {role}; grant select on all tables in schema migrations to {role};
             create function trap() returns boolean language plpgsql as $$ begin insert into public.trap values (1); return true; end $$;
             alter table migrations.people enable row level security;
             create policy trap on migrations.people using (trap())"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(trap)).execute(db.pool()).await?;
        let place = db.url().split_once('@').unwrap().1.to_owned();
        let url = format!("postgres://{role}:x@{place}");
        for args in [&["showmigrations"] as &[&str], &["db-check"], &["migrate", "--plan"]] {
            outcome(&checkout.command(&url, args))
                .expect(1, &["cannot execute INSERT in a read-only transaction"]);
        }
        let drop = format!("drop owned by {role} cascade; drop role {role}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(db.pool()).await?;
        Ok(())
    });
}
