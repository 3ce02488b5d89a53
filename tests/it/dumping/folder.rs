//! The folder of a dump: what it may replace, who may read it, and that it appears completely or not at all.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
};

use duct::cmd;
use rustix::process::Signal;
use sqlx::{ConnectOptions, Executor};

use super::{dump, files, fill};
use crate::{checkout::Checkout, fixture::with_database, interruption::signalled_during, snapshot::snapshot};

#[test]
fn dumpdata_does_not_overwrite_a_folder_that_holds_something() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let folder = dump(&checkout, db, "dump");
        let before = files(&folder);
        fill(db).await;
        checkout
            .xtask(db, &["dumpdata", "--output", &folder])
            .expect(4, &["refused: ", "holds a dump already", "--force"]);
        assert_eq!(before, files(&folder));
        checkout.xtask(db, &["dumpdata", "--output", &folder, "--force"]).expect(0, &[]);
        assert_ne!(before, files(&folder));

        for mine in [".mine", "mine.txt"] {
            fs::write(checkout.root().join("dump").join(mine), "mine")?;
            let before = files(&folder);
            checkout.xtask(db, &["dumpdata", "--output", &folder, "--force"]).expect(1, &["is not a dump"]);
            assert_eq!(before, files(&folder));
        }
        let root = checkout.root().display().to_string();
        checkout.xtask(db, &["dumpdata", "--output", &root, "--force"]).expect(1, &["is not empty"]);
        let file = checkout.root().join("dump/mine.txt").display().to_string();
        checkout.xtask(db, &["dumpdata", "--output", &file, "--force"]).expect(1, &["can't take a dump"]);
        Ok(())
    });
}

#[test]
fn dumpdata_fills_an_empty_or_new_folder_that_only_its_owner_can_read() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fs::create_dir(checkout.root().join("empty"))?;
        for name in ["empty", "new/below"] {
            let folder = dump(&checkout, db, name);
            assert_eq!(fs::metadata(&folder)?.permissions().mode() & 0o777, 0o700);
            for entry in fs::read_dir(&folder)? {
                assert_eq!(entry?.metadata()?.permissions().mode() & 0o777, 0o600);
            }
        }
        Ok(())
    });
}

#[test]
fn dumpdata_accepts_the_names_of_apps_and_of_tables() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let dumped = |names: &[&str]| {
            let folder = checkout.root().join(names.join("+").replace('/', ".")).display().to_string();
            let printed = checkout.xtask(db, &[&["dumpdata"], names, &["--output", &folder]].concat());
            let names: Vec<String> = files(&folder).into_keys().filter(|name| name != "dump.json").collect();
            (names, printed)
        };
        assert_eq!(dumped(&["people"]).0.len(), 6);
        assert_eq!(dumped(&["people/"]).0.len(), 6);
        assert_eq!(dumped(&["people/people"]).0, ["people.copy"]);
        assert_eq!(dumped(&["library", "roles"]).0, ["branches.copy", "roles.copy", "staff.copy"]);
        let (names, printed) = dumped(&["loans"]);
        assert_eq!(names, ["loans.copy"]);
        printed.expect(0, &["loans.person_id refers to people, which is not in the dump"]);
        let folder = checkout.root().join("none").display().to_string();
        for (name, said) in [
            ("poeple", "no app and no table is called `poeple`; did you mean `people`?"),
            ("people/role", "app `people` owns no table `role`"),
            ("poeple/roles", "no app `poeple`; did you mean `people`?"),
        ] {
            checkout.xtask(db, &["dumpdata", name, "--output", &folder]).expect(1, &[said]);
        }
        assert!(!checkout.root().join("none").exists());
        Ok(())
    });
}

/// The entries of a checkout's folder that a dump may have left behind.
fn dump_entries(checkout: &Checkout) -> Vec<String> {
    let entries =
        fs::read_dir(checkout.root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.filter(|name| name.contains("dump")).collect()
}

#[test]
fn a_killed_dump_leaves_no_folder_of_its_name_and_the_next_dump_cleans_up() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let folder = checkout.root().join("dump").display().to_string();
        for signal in [Signal::KILL, Signal::INT] {
            // The dump waits for this table, its last one.
            let mut holder = db.options().connect().await?;
            holder.execute("begin; lock table staff in access exclusive mode").await?;
            let dump = checkout.command(&db.url(), &["dumpdata", "--output", &folder]);
            signalled_during(db, &dump, "lock table", signal).await?;
            drop(holder);
            let entries = dump_entries(&checkout);
            assert_eq!(entries.len(), usize::from(signal == Signal::KILL), "{entries:?}");
            assert!(!entries.contains(&"dump".to_owned()));
        }
        dump(&checkout, db, "dump");
        assert_eq!(dump_entries(&checkout), ["dump"]);
        Ok(())
    });
}

#[test]
fn a_killed_load_changes_nothing() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let folder = dump(&checkout, db, "dump");
        db.pool().execute("update loans set fee = 7").await?;
        // A trigger that sleeps stops the load after it has written some rows.
        db.pool()
            .execute(sqlx::raw_sql(
                "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(600); return null; end $$;
                 create constraint trigger slow after insert on loans for each row execute function slow()",
            ))
            .await?;
        let before = snapshot(db).await;
        for signal in [Signal::KILL, Signal::INT] {
            let load = checkout.command(&db.url(), &["loaddata", &folder, "--replace"]);
            signalled_during(db, &load, "copy \"public\".\"loans\"", signal).await?;
            assert_eq!(before, snapshot(db).await);
        }
        Ok(())
    });
}

#[test]
fn a_folder_whose_name_is_not_utf_8_takes_a_dump_and_is_loaded() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let folder = checkout.root().join(OsStr::from_bytes(b"d\xff 'dump"));
        let dump: [&OsStr; 3] = ["dumpdata".as_ref(), "--output".as_ref(), folder.as_ref()];
        let made = checkout.xtask(db, &dump);
        made.expect(0, &["to load it: cargo xtask loaddata "]);
        // The command in the message names that folder.
        let line = made.stdout.lines().last().unwrap();
        let printed = line.split_once("loaddata ").unwrap().1;
        let script = format!("printf %s {printed}");
        let named = cmd!("bash", "-c", &script).stdout_capture().run()?.stdout;
        assert_eq!(OsStr::from_bytes(&named), folder.canonicalize()?.as_os_str(), "{line}");
        for format in ["text", "json"] {
            let more = ["--force", "--format", format].map(OsStr::new);
            checkout.xtask(db, &[dump.as_slice(), &more].concat()).expect(0, &[]);
            let load: [&OsStr; 2] = ["loaddata".as_ref(), folder.as_ref()];
            let more = ["--replace", "--format", format].map(OsStr::new);
            checkout.xtask(db, &[load.as_slice(), &more].concat()).expect(0, &[]);
        }
        let json =
            checkout.xtask(db, &[dump.as_slice(), &["--force", "--format", "json"].map(OsStr::new)].concat());
        let json: serde_json::Value = serde_json::from_str(&json.stdout)?;
        assert!(json["folder"].as_str().is_some_and(|folder| folder.contains("d\u{fffd} 'dump")), "{json}");
        Ok(())
    });
}
