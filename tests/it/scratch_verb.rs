//! `cargo xtask scratch`: a throwaway database for anything that is not a test.

use std::ffi::OsStr;

use duct::cmd;
use rustix::process::{Signal, kill_process};

use crate::{
    borrowing::{RIGHT, Shared, ask, begin, borrower, databases, outcome_line, surrounded},
    checkout::{outcome, xtask},
    native_server::{pid_of, wait_until},
};

fn name_in(url: &str) -> String {
    url.trim().rsplit('/').next().unwrap().to_owned()
}

#[test]
fn without_a_command_it_prints_only_the_url_and_the_database_stays() {
    let shared = Shared::new();
    for (options, expected) in
        [(&[] as &[&str], "9 3"), (&["--unseeded"], "9 0"), (&["--at", "library/0001_initial"], "8 0")]
    {
        let output = shared.xtask(&[&["scratch"], options].concat());
        let url = output.expect(0, &[]).stdout.trim();
        assert!(url.starts_with("postgres://") && url.lines().count() == 1, "{output:?}");
        assert_eq!(ask(url, RIGHT), [expected]);
    }
    let empty = shared.xtask(&["scratch", "--empty"]);
    assert_eq!(
        ask(empty.stdout.trim(), "select count(*) from pg_tables where schemaname !~ '^(pg_|inf)'"),
        ["0"]
    );
}

#[test]
fn a_command_gets_the_database_and_xtask_exits_with_its_code() {
    let shared = Shared::new();
    let print = "echo $DATABASE_URL; psql --no-psqlrc --no-align --tuples-only --command 'select current_database()'; exit 7";
    let output = shared.xtask(&["scratch", "--exec", "sh", "-c", print]);
    let lines: Vec<&str> = output.expect(7, &[]).stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{output:?}");
    assert_eq!(name_in(lines[0]), lines[1]);
    wait_until("it is gone", || !databases(&shared.url()).contains(&lines[1].to_owned()));
    let kept = shared.xtask(&["scratch", "--keep", "--exec", "sh", "-c", "echo $PGDATABASE"]);
    let name = kept.expect(0, &["kept: postgres://"]).stdout.trim().to_owned();
    assert_eq!(ask(kept.stderr.trim().strip_prefix("kept: ").unwrap(), RIGHT), ["9 3"]);
    assert!(databases(&shared.url()).contains(&name));
}

#[test]
fn ctrl_c_reaches_the_command_and_the_database_is_removed() {
    let shared = Shared::started();
    let script = format!(
        "trap 'echo interrupted > {0}/interrupted; exit' INT TERM; echo $PGDATABASE > {0}/name; while :; do sleep 0.05; done",
        shared.checkout.root().display()
    );
    let args = ["scratch", "--exec", "sh", "-c", &script];
    let command = begin(&surrounded(&shared.checkout, cmd(xtask(), args), &[]));
    let read = |file: &str| std::fs::read_to_string(shared.checkout.root().join(file)).unwrap_or_default();
    wait_until("it has its database", || read("name").ends_with('\n'));
    assert!(databases(&shared.url()).contains(&read("name").trim().to_owned()));
    kill_process(pid_of(&command), Signal::INT).unwrap();
    assert_eq!(command.wait().unwrap().status.code(), Some(130));
    assert_eq!(read("interrupted"), "interrupted\n");
    wait_until("it is gone", || !databases(&shared.url()).contains(&read("name").trim().to_owned()));
}

#[test]
fn list_shows_every_database_and_sweep_removes_the_unused_ones() {
    let shared = Shared::new();
    shared
        .xtask(&["scratch", "list"])
        .expect(0, &["no test server is running, so there are no throwaway databases"]);
    shared.xtask(&["scratch", "sweep"]).expect(0, &["0 throwaway databases removed"]);
    assert!(shared.hosts().is_empty(), "neither verb starts a server");
    let url = shared.xtask(&["scratch"]).expect(0, &[]).stdout.trim().to_owned();
    let name = name_in(&url);
    let ahead = || shared.xtask(&["scratch", "list"]).stdout.contains("ready or in use\n");
    wait_until("the next one is made ahead", ahead);
    let list = shared.xtask(&["scratch", "list"]);
    list.expect(0, &["template\n", "ready or in use\n", "kept: scratch\n", " throwaway databases\n"]);
    assert!(
        list.stdout.lines().any(|line| line.starts_with(&name) && line.ends_with(" kept: scratch")),
        "{list:?}"
    );
    let json = shared.xtask(&["scratch", "list", "--format", "json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json.expect(0, &[]).stdout).unwrap();
    let row = serde_json::json!({ "name": name, "what": "kept: scratch" });
    assert!(rows.contains(&row) && rows.len() > 2, "{rows:?}");
    shared
        .xtask(&["scratch", "sweep"])
        .expect(0, &[&format!("removed  {name}\n"), "1 throwaway database removed"]);
    assert!(!databases(&shared.url()).contains(&name));
    // The service's other databases still work.
    assert_eq!(ask(shared.xtask(&["scratch"]).stdout.trim(), RIGHT), ["9 3"]);
}

#[test]
fn invalid_arguments_are_reported_before_a_server_starts() {
    let shared = Shared::new();
    for (args, code, said) in [
        (
            &["--at", "library/0009_nothing"] as &[&str],
            1,
            "its migrations: 0001_initial, 0002_add_manager, 0003_index_staff",
        ),
        (&["--at", "initial"], 1, "write app/0001_name; list them: cargo xtask showmigrations"),
        (&["--empty", "--unseeded"], 2, "cannot be used with"),
        (&["--keep"], 2, "--exec"),
    ] {
        shared.xtask(&[&["scratch"], args].concat()).expect(code, &[said]);
    }
    assert!(shared.hosts().is_empty());
}

/// The host and port of a connection string.
fn place_in(url: &str) -> String {
    url.trim().split_once('@').unwrap().1.split_once('/').unwrap().0.to_owned()
}

#[test]
fn a_database_is_on_the_server_that_is_meant_now_or_refused() {
    const PRINT: [&str; 4] = ["scratch", "--exec", "printenv", "DATABASE_URL"];
    let (shared, other) = (Shared::new(), Shared::started());
    let lent = |args: &[&str], url: &str| {
        let url = [("DATABASE_URL", OsStr::new(url))];
        outcome(&surrounded(&shared.checkout, cmd(xtask(), args), &url))
    };
    let borrowed = |url: &str, end: &str| {
        let words = ["seeded", "1", end, "select inet_server_port()::text"];
        outcome(&borrower(&shared.checkout, &words, &[("DATABASE_URL", OsStr::new(url))]))
    };
    let another = other.url();
    tests::empty().run(async |db| {
        let one = db.url();
        for url in [&one, &another, &one] {
            assert_eq!(place_in(&lent(&PRINT, url).expect(0, &[]).stdout), place_in(url));
            let port = place_in(url).rsplit_once(':').unwrap().1.to_owned();
            assert_eq!(outcome_line(&borrowed(url, "pass"))[1], port);
        }
        let nowhere = "postgres://app:x@127.0.0.1:1/app";
        lent(&PRINT, nowhere).expect(1, &["no server answers at 127.0.0.1:1"]);
        borrowed(nowhere, "pass").expect(101, &["no server answers at 127.0.0.1:1"]);
        let ours = lent(&[&["--server", "native"], &PRINT[..]].concat(), nowhere);
        let place = place_in(&ours.expect(0, &[]).stdout);
        assert!(place != place_in(&one) && place != place_in(&another), "{place}");
        let env = shared.checkout.root().join(".env");
        for url in [&another, &one] {
            std::fs::write(&env, format!("DATABASE_URL={url}\n")).unwrap();
            assert_eq!(place_in(&shared.xtask(&PRINT).expect(0, &[]).stdout), place_in(url));
        }
        assert_eq!(place_in(&lent(&PRINT, &another).expect(0, &[]).stdout), place_in(&another));
        Ok(())
    });
}

#[test]
fn a_command_that_does_not_exist_is_reported_and_leaves_no_database() {
    let shared = Shared::started();
    shared
        .xtask(&["scratch", "--exec", "no-such-program", "x"])
        .expect(1, &["error: run no-such-program", "No such file"]);
    let lent = || shared.xtask(&["scratch", "list"]).stdout.matches("kept").count();
    assert_eq!(lent(), 0);
}
