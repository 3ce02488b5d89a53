//! `loaddata` rejects a dump that has changed or is of another schema: it says why, and loads nothing.

use std::fs;

use tests::TestDatabase;

use super::{dump, fill, trigger_states};
use crate::{checkout::Checkout, fixture::with_database, snapshot::snapshot};

/// Dumps a filled database, spoils the dump, and expects that a load prints this and changes nothing.
#[track_caller]
fn check(args: &[&str], code: i32, said: &[&str], spoil: impl Fn(&Checkout, &dyn Fn(&str, &str, &str))) {
    with_database(async |db: &TestDatabase| {
        let checkout = Checkout::new();
        fill(db).await;
        let folder = dump(&checkout, db, "dump");
        spoil(&checkout, &|file, from, to| checkout.edit(&format!("dump/{file}"), from, to));
        let before = (snapshot(db).await, trigger_states(db).await);
        let printed = checkout.xtask(db, &[&["loaddata", &folder, "--replace"], args].concat());
        printed.expect(code, said);
        assert!(!format!("{}{}", printed.stdout, printed.stderr).contains("secret-hash"), "{printed:?}");
        assert_eq!(before, (snapshot(db).await, trigger_states(db).await));
        Ok(())
    });
}

#[test]
fn a_damaged_file_is_reported_by_name() {
    check(
        &[],
        1,
        &["dump/people.copy has changed since it was dumped", "nothing was loaded", "dump --edited"],
        |_, edit| {
            edit("people.copy", "a@x.org", "z@x.org");
        },
    );
    check(&[], 1, &["dump/dump.json is damaged"], |_, edit| edit("dump.json", "{", "["));
    check(&[], 1, &["has format 1, but this tool reads 2"], |_, edit| {
        edit("dump.json", "\"format\": 2", "\"format\": 1");
    });
    check(&[], 1, &["dump.json is damaged", "is not the file of table"], |_, edit| {
        edit("dump.json", "\"people.copy\"", "\"../x.copy\"");
    });
}

#[test]
fn missing_and_extra_files_are_reported_by_name() {
    for args in [&[][..], &["--edited"]] {
        let said =
            &["dump/people.copy is missing", "dump/more.copy is not part of the dump", "nothing was loaded"];
        check(args, 1, said, |checkout, _| {
            fs::rename(checkout.root().join("dump/people.copy"), checkout.root().join("dump/more.copy"))
                .unwrap();
        });
    }
    check(&[], 1, &["dump/people.copy is not a file", "nothing was loaded"], |checkout, _| {
        let path = checkout.root().join("dump/people.copy");
        fs::remove_file(&path).unwrap();
        fs::create_dir(path).unwrap();
    });
    check(&[], 1, &["holds no dump: dump.json is missing", "cargo xtask dumpdata"], |checkout, _| {
        fs::remove_file(checkout.root().join("dump/dump.json")).unwrap();
    });
}

#[test]
fn an_edited_row_that_breaks_a_constraint_is_reported_with_file_and_line() {
    let user = "00000000-0000-0000-0000-00000000000b";
    let missing = "00000000-0000-0000-0000-0000000000ff";
    let edited = &["--edited"];
    check(
        edited,
        1,
        &["dump/people.copy:1: ", "\"people_email_check\" (23514); nothing was loaded"],
        |_, edit| {
            edit("people.copy", "a@x.org", "nowhere");
        },
    );
    check(edited, 1, &["dump/people.copy:2, column id: invalid input syntax"], |_, edit| {
        edit("people.copy", user, "b");
    });
    check(edited, 1, &["dump/people.copy:2", "\"people_email_key\" (23505)"], |_, edit| {
        edit("people.copy", "b@x.org", "A@x.org");
    });
    check(edited, 1, &["dump/roles.copy", "null value in column \"name\""], |_, edit| {
        edit("roles.copy", "\town\t", "\t\\N\t");
    });
    // Foreign keys that Postgres checks after the file, foreign keys that it checks after the load, and a unique key.
    check(edited, 1, &["dump/events.copy:3: ", "\"events_person_id_fkey\" (23503)"], |checkout, _| {
        let path = checkout.root().join("dump/events.copy");
        let lines = fs::read_to_string(&path).unwrap();
        let lines: Vec<String> = lines
            .lines()
            .enumerate()
            .map(
                |(at, line)| {
                    if at == 2 { line.replacen("00000000000a", "0000000000ff", 1) } else { line.to_owned() }
                },
            )
            .collect();
        fs::write(path, lines.join("\n")).unwrap();
    });
    check(edited, 1, &["dump/staff.copy:", "\"staff_person_id_fkey\" (23503)"], |_, edit| {
        edit("staff.copy", user, missing);
    });
    check(edited, 1, &["dump/branches.copy:1: ", "\"branches_manager_id_fkey\" (23503)"], |_, edit| {
        edit("branches.copy", "00000000-0000-0000-0000-00000000000a", missing);
    });
    check(edited, 1, &["dump/people.copy:3: ", "\"people_branch_id_fkey\" (23503)"], |_, edit| {
        edit("people.copy", "10000000-0000-0000-0000-000000000002", missing);
    });
    check(edited, 1, &["dump/permissions.copy", "\"permissions_resource_action_key\" (23505)"], |_, edit| {
        edit("permissions.copy", "drop_item\titem\tdrop", "drop_item\titem\tread");
    });
    check(edited, 1, &["dump/events.copy gave", "a line `\\.`"], |checkout, _| {
        let path = checkout.root().join("dump/events.copy");
        let text = fs::read_to_string(&path).unwrap().replacen('\n', "\n\\.\n", 1);
        fs::write(path, text).unwrap();
    });
}

#[test]
fn an_edited_file_that_breaks_nothing_is_loaded_on_request() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let folder = dump(&checkout, db, "dump");
        checkout.edit("dump/people.copy", "a@x.org", "z@x.org");
        checkout.xtask(db, &["loaddata", &folder, "--replace", "--edited"]).expect(0, &[]);
        let email: String =
            sqlx::query_scalar("select email from people order by id limit 1").fetch_one(db.pool()).await?;
        assert_eq!(email, "z@x.org");
        Ok(())
    });
}

#[test]
fn a_dump_of_another_schema_is_refused() {
    let other =
        &["does not match the schema of this database", "nothing was loaded", "\n  dump again what you need"];
    check(
        &[],
        3,
        &[
            other as &[&str],
            &["loans/0009_x is in the dump but not applied here", "loans/0001_initial is applied here"],
        ]
        .concat(),
        |_, edit| {
            edit("dump.json", "loans/0001_initial", "loans/0009_x");
        },
    );
    check(
        &[],
        3,
        &[other as &[&str], &["library/0001_initial here is not the file that the dump was made with"]]
            .concat(),
        |_, edit| {
            edit("dump.json", "\"checksum\": \"", "\"checksum\": \"00");
        },
    );
    check(
        &[],
        3,
        &["people.email text is here but not in the dump", "people.email citext is in the dump but not here"],
        |checkout, _| {
            let path = checkout.root().join("dump/dump.json");
            let text = fs::read_to_string(&path).unwrap();
            let mut dump: serde_json::Value = serde_json::from_str(&text).unwrap();
            let tables = dump["tables"].as_array_mut().unwrap().iter_mut();
            let people = tables.into_iter().find(|table| table["table"] == "people").unwrap();
            people["columns"][1]["type"] = "citext".into();
            fs::write(path, dump.to_string()).unwrap();
        },
    );
    with_database(async |db| {
        let checkout = Checkout::new();
        let folder = dump(&checkout, db, "dump");
        checkout.migration("loans/0002_more", "select 1;", "select 1;");
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let load = ["loaddata", &folder, "--replace"];
        let newer = checkout.xtask(db, &load);
        newer.expect(3, &["loans/0002_more is applied here but not in the dump"]);
        newer.expect(3, &["migrate to where it was: cargo xtask migrate loans 0001_initial\n"]);
        for direction in ["up", "down"] {
            fs::remove_file(checkout.path(&format!("loans/0002_more.{direction}.sql")))?;
        }
        checkout.xtask(db, &load).expect(3, &["in the dump\n  dump again what you need"]);
        checkout.migration("loans/0002_more", "select 1;", "select 1;");
        checkout.xtask(db, &["migrate", "loans", "0001_initial"]).expect(0, &[]);
        checkout.xtask(db, &load).expect(0, &[]);
        checkout.xtask(db, &["migrate", "loans", "zero"]).expect(0, &[]);
        let older = checkout.xtask(db, &load);
        older.expect(3, &["migrate to where it was: cargo xtask migrate loans 0001_initial\n"]);
        Ok(())
    });
}
