//! Databases of several projects on one server: each has its own project's schema.

use std::{ffi::OsStr, fs};

use crate::{
    borrowing::{Host, RIGHT, Shared, begin, borrower, databases, outcome_line, printed_lines},
    checkout::Checkout,
    native_server::wait_until,
};

/// The table that identifies a project, and the number of all tables.
const WHICH: &str = "select coalesce(string_agg(relname, '+' order by relname), 'none') || ' ' || \
                     (select count(*) from pg_tables where schemaname = 'public') \
                     from pg_class where relname in ('roles', 'apples', 'pears')";

/// A checkout with two more projects.
pub(crate) fn orchard() -> Checkout {
    let checkout = Checkout::new();
    for fruit in ["apples", "pears"] {
        let folder = checkout.root().join("fixtures").join(fruit);
        fs::create_dir_all(folder.join("orchard")).unwrap();
        let write = |path: &str, text: &str| fs::write(folder.join(path), text).unwrap();
        write(
            "apps.toml",
            &format!(
                "[postgres]\nversion = 15\ndatabase = \"orchard\"\n\n[[app]]\nname = \"orchard\"\ndepends-on = []\ntables = [\"{fruit}\"]\n"
            ),
        );
        write(
            "orchard/sqlx.toml",
            "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.orchard\"\n",
        );
        write("orchard/0001_initial.up.sql", &format!("create table {fruit} (name text primary key);\n"));
        write("orchard/0001_initial.down.sql", &format!("drop table {fruit};\n"));
        write(
            "orchard/seed.sql",
            &format!("insert into {fruit} (name) values ('red'), ('green') on conflict do nothing;\n"),
        );
    }
    checkout
}

const CONTENTS: [&str; 4] = ["seeded", "unseeded", "recycled", "transaction"];

#[test]
fn projects_side_by_side_on_one_server_each_get_their_own_schema() {
    tests::empty().run(async |db| {
        let (checkout, url) = (orchard(), db.url());
        let host = Host::start(&checkout, &url);
        let alone = [(tests::service::SERVER, OsStr::new(&url))];
        for content in CONTENTS {
            let mut started = Vec::new();
            for (folder, expected) in
                [("", " roles 9"), ("fixtures/apples=", " apples 1"), ("fixtures/pears=", " pears 1")]
            {
                let content = format!("{folder}{content}");
                let words = [&content, "2", "pass", WHICH];
                started.push((begin(&host.borrower(&checkout, &words)), expected));
                started.push((begin(&borrower(&checkout, &words, &alone)), expected));
            }
            for (handle, expected) in &started {
                let lines = printed_lines(handle);
                assert!(lines.len() == 2 && lines.iter().all(|line| line.ends_with(expected)), "{lines:?}");
            }
        }
        let at = ["fixtures/pears=orchard/0001_initial", "1", "pass", WHICH, "select count(*) from pears"];
        assert_eq!(outcome_line(&host.borrow(&checkout, &at))[1..], ["pears", "1", "0"]);
        Ok(())
    });
}

#[test]
fn an_edit_in_one_project_leaves_the_databases_of_the_others_ready() {
    let shared = Shared { checkout: orchard() };
    let borrow = |content: &str, look: &str| {
        let outcome = shared.borrow(&[content, "1", "pass", look]);
        outcome_line(&outcome).iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let (ours, theirs) = ("fixtures/apples=unseeded", "fixtures/pears=unseeded");
    assert_eq!(borrow(ours, WHICH)[1..], ["apples", "1"]);
    assert_eq!(borrow(theirs, WHICH)[1..], ["pears", "1"]);
    // Until the service has made the next databases ahead and removed the returned ones.
    let url = shared.url();
    let mut ready = Vec::new();
    wait_until("the service is at rest", || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        let before = std::mem::replace(&mut ready, databases(&url));
        before == ready
    });
    let up = shared.checkout.root().join("fixtures/apples/orchard/0001_initial.up.sql");
    fs::write(up, "create table apples (name text primary key, weight int);\n").unwrap();
    let look = "select count(*) from pg_attribute where attname = 'weight'";
    assert_eq!(borrow(ours, look)[1..], ["1"]);
    let name = &borrow(theirs, WHICH)[0];
    assert!(ready.contains(name), "{name} was made after the edit");
}

#[test]
fn a_folder_without_a_project_fails_the_test_with_its_path() {
    let shared = Shared::started();
    let refused = shared.borrow(&["fixtures/plums=seeded", "1", "pass"]);
    refused.expect(101, &["no database for this test", "fixtures/plums", "No such file"]);
    assert_eq!(outcome_line(&shared.borrow(&["seeded", "1", "pass", RIGHT]))[1..], ["9", "3"]);
}

#[test]
fn a_plain_create_database_copies_the_main_project_even_after_another_was_lent() {
    let shared = Shared { checkout: orchard() };
    let apples = shared.borrow(&["fixtures/apples=seeded", "1", "pass", WHICH]);
    assert_eq!(outcome_line(&apples)[1..], ["apples", "1"]);
    // A plain `create database`, as `#[sqlx::test]` runs it.
    let template1 = shared.url().replace("/postgres", "/template1");
    assert_eq!(crate::borrowing::ask(&template1, RIGHT), ["9 3"]);
}
