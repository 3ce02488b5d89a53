//! What the programs print, word by word: every help, and the most common errors. Each change of wording shows in the text
//! files in `wording`, where a reviewer reads it.
//!
//! `UPDATE_EXPECT=1 cargo xtask test -- wording` writes the files.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use duct::{Expression, cmd};
use expect_test::expect_file;
use tests::{TestDatabase, workspace_root};

use crate::checkout::{Checkout, Outcome, built, outcome, xtask};

fn folder() -> PathBuf {
    workspace_root().join("tests/it/wording")
}

/// Collects the help of a command and of its subcommands, each with the name of its file.
fn helps(words: &[&str], all: &mut Vec<(String, String)>) {
    let command = cmd(words[0], [&words[1..], &["--help"]].concat());
    // The same width on every machine.
    let help = outcome(&command.env("COLUMNS", "100").env_remove("XTASK_SERVER").unchecked());
    let help = help.expect(0, &[]).stdout.clone();
    let program = words[0].rsplit('/').next().unwrap();
    all.push(([&[program], &words[1..]].concat().join("-") + ".txt", help.clone()));
    let Some((_, commands)) = help.split_once("Commands:\n") else { return };
    for line in commands.split("\n\n").next().unwrap().lines() {
        // A long description continues on the next line.
        let Some(line) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) else { continue };
        helps(&[words, &[line.split_whitespace().next().unwrap()]].concat(), all);
    }
}

#[test]
fn every_help_reads_as_reviewed() {
    let folder = folder().join("help");
    let mut all = Vec::new();
    for program in [xtask().to_owned(), built("backend")] {
        helps(&[program.to_str().unwrap()], &mut all);
    }
    assert!(all.len() > 30, "{}", all.len());
    let expected: BTreeSet<String> = all.iter().map(|(name, _)| name.clone()).collect();
    for (name, help) in &all {
        expect_file![folder.join(name)].assert_eq(help);
    }
    for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap()) {
        let name = file.file_name().into_string().unwrap();
        if !expected.contains(&name) && env::var_os("UPDATE_EXPECT").is_some() {
            fs::remove_file(file.path()).unwrap();
        } else {
            assert!(expected.contains(&name), "no command has the help {name}");
        }
    }
}

/// The commands that fail, and what a person sees of each.
struct Errors<'a> {
    db: &'a TestDatabase,
    text: String,
}

impl Errors<'_> {
    /// Adds a command in a checkout on the test's database.
    fn add_command(&mut self, checkout: &Checkout, args: &[&str]) {
        self.add_output(checkout, args, &checkout.command(&self.db.url(), args));
    }

    fn add_output(&mut self, checkout: &Checkout, args: &[&str], command: &Expression) {
        let Outcome { code, stdout, stderr } = outcome(command);
        assert_ne!(code, 0, "{args:?}: {stdout}{stderr}");
        // Replaces everything that differs from run to run.
        let (url, name) = (self.db.url(), self.db.name());
        let place = url.split_once('@').unwrap().1.split_once('/').unwrap().0;
        let said = format!("$ cargo xtask {}\n{stdout}{stderr}exit code {code}\n\n", args.join(" "));
        let said = said.replace(name, "app").replace(place, "127.0.0.1:5432");
        let said = said.replace(checkout.root().to_str().unwrap(), "/checkout");
        self.text.extend(said.lines().map(|line| {
            let step = line.strip_suffix(" ms").and_then(|line| Some(line.rsplit_once(' ')?.0.trim_end()));
            format!("{}\n", step.unwrap_or(line))
        }));
    }
}

/// A schema for this test alone, so that a change of the product's schema changes nothing here.
fn two_apps() -> Checkout {
    let manifest = r#"
program = "backend"

[postgres]
version = 15
database = "app"

[[app]]
name = "shops"
depends-on = []
tables = ["shops"]

[[app]]
name = "orders"
depends-on = ["shops"]
tables = ["orders"]
"#;
    let checkout = Checkout::with_files(manifest, &[]);
    for app in ["shops", "orders"] {
        let ledger =
            format!("[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.{app}\"\n");
        checkout.write(&format!("{app}/sqlx.toml"), &ledger);
        let (up, down) = (format!("create table {app} (id int);"), format!("drop table {app};"));
        checkout.migration(&format!("{app}/0001_initial"), &up, &down);
    }
    checkout
}

#[test]
fn the_most_common_errors_read_as_reviewed() {
    tests::empty().run(async |db| {
        let mut errors = Errors { db, text: String::new() };
        let checkout = two_apps();
        for args in [
            &["migrat"] as &[&str],
            &["migrate", "--plam"],
            &["migrate", "shop"],
            &["migrate", "shops", "0099"],
            &["migrate", "--check"],
            &["db-check"],
            &["seed"],
            &["createsuperuser", "--password", "secret"],
        ] {
            errors.add_command(&checkout, args);
        }
        for (path, text) in [
            ("shops/0002_bad", "alter table shopz add column note text;"),
            ("shops/0001_twice", "select 1;"),
            ("orders/0002_circle", "-- depends-on: shops/0002_circle\nselect 1;"),
        ] {
            let checkout = two_apps();
            checkout.migration(path, text, "select 1;");
            if path.ends_with("circle") {
                let back = "-- depends-on: orders/0002_circle\nselect 1;";
                checkout.migration("shops/0002_circle", back, "select 1;");
            }
            errors.add_command(&checkout, &["migrate"]);
        }
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let merging = two_apps();
        merging.write("shops/0002_merge.up.sql", "-- irreversible: the duplicates are gone\nselect 1;");
        merging.migration("shops/0003_note", "select 1;", "select 1;");
        merging.xtask(db, &["migrate"]).expect(0, &[]);
        errors.add_command(&merging, &["migrate", "shops", "zero"]);
        merging.xtask(db, &["migrate", "shops", "0002"]).expect(0, &[]);
        // Only by hand, since there is no way back.
        sqlx::raw_sql("delete from migrations.shops where version = 2").execute(db.pool()).await?;
        checkout.replace("orders/0001_initial.up.sql", "create table", "create  table");
        errors.add_command(&checkout, &["migrate"]);
        let mark = "environment=production created=2026-03-02";
        let mark = format!("comment on database {} is '{mark}'", db.name());
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(db.pool()).await?;
        for args in [&["db-reset"] as &[&str], &["db-drop"], &["migrate", "orders", "zero"]] {
            errors.add_command(&two_apps(), args);
        }
        for url in ["postgres://app:x@127.0.0.1:1/app".to_owned(), db.url().replace(db.name(), "nowhere")] {
            errors.add_output(&checkout, &["migrate"], &checkout.command(&url, &["migrate"]));
        }
        expect_file![folder().join("errors.txt")].assert_eq(&errors.text);
        Ok(())
    });
}
