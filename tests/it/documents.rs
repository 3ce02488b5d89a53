//! Follows README and CONTRIBUTING as a reader would: runs their commands, writes their files, compares their output.

use std::{ffi::OsStr, fs, os::unix::fs::PermissionsExt};

use duct::cmd;
use tests::{TestDatabase, workspace_root};

use crate::{
    borrowing::surrounded,
    checkout::{Checkout, outcome, xtask},
    product,
};

/// Commands that take minutes, would run these tests again, or ask a person. For them `--help` has to do.
const LONG: &[&str] = &["test", "ci", "bench", "prepare", "createsuperuser", "changepassword", "sqlx"];

pub(crate) fn document(name: &str) -> String {
    fs::read_to_string(workspace_root().join(name)).unwrap()
}

/// The fenced blocks of a document, each with its language.
pub(crate) fn blocks(text: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some((language, String::new())),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some((language, block))) => open = Some((language, block + line + "\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is never closed");
    blocks
}

/// Runs `cargo xtask …` exactly as written, or its `--help` if it needs input from a reader.
fn follow(checkout: &Checkout, db: &TestDatabase, command: &str) {
    let command = command.split(" #").next().unwrap();
    let words = command.trim().strip_prefix("cargo xtask").unwrap_or_else(|| panic!("{command}"));
    let mut words: Vec<&str> = words.split_whitespace().collect();
    // Capitals mark what a reader fills in.
    let has_blanks = words.iter().any(|word| word.chars().all(|c| c.is_ascii_uppercase()));
    if let Some(verb) = words.first().filter(|verb| has_blanks || LONG.contains(verb)) {
        words = vec![verb, "--help"];
    }
    // It writes its files into the checkout.
    outcome(&checkout.command(&db.url(), &words).dir(checkout.root())).expect(0, &[]);
}

#[test]
fn a_newcomer_can_follow_the_readme() {
    tests::empty().run(async |db| {
        let (checkout, readme) = (Checkout::of_product(), document("README.md"));
        let commands: Vec<String> = blocks(&readme)
            .into_iter()
            .filter(|(language, _)| *language == "sh")
            .map(|(_, text)| text)
            .collect();
        assert!(commands.iter().any(|text| text.contains("cargo xtask db-setup")));
        for command in commands.iter().flat_map(|text| text.lines()) {
            follow(&checkout, db, command);
        }
        // The commands in the table and the text; each starts with a complete database.
        let inline = readme.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
        let inline: Vec<&str> = inline.filter(|code| code.starts_with("cargo xtask ")).collect();
        assert!(inline.len() > 10, "{inline:?}");
        for command in inline {
            checkout.xtask(db, &["db-setup"]).expect(0, &[]);
            follow(&checkout, db, command);
        }
        // The service that lends databases for `scratch` would stay for some minutes.
        checkout.xtask(db, &["server", "sweep"]).expect(0, &[]);
        Ok(())
    });
}

/// CONTRIBUTING, with the next free number in its example of a migration.
fn contributing() -> String {
    let next = product::next_migration("progress", "add_note");
    document("CONTRIBUTING.md").replace("progress/0002_add_note", &next)
}

/// Writes the file that a block holds or changes, if any. Returns whether it wrote one.
fn write(checkout: &Checkout, language: &str, block: &str) -> bool {
    let (first, rest) = block.split_once('\n').unwrap();
    let first = first.trim_start_matches(['-', '#', ' ']);
    if language == "diff" {
        let path = first.strip_prefix("file: migrations/").unwrap();
        let lines = |skipped: char| -> String {
            let lines = rest.lines().filter(|line| !line.starts_with(skipped));
            lines.map(|line| format!("{}\n", &line[1..])).collect()
        };
        checkout.replace(path, &lines('+'), &lines('-'));
    } else if let Some(path) = first.strip_prefix("file: migrations/") {
        checkout.write(path, rest);
    } else if let Some(path) = first.strip_prefix("append: migrations/") {
        let so_far = fs::read_to_string(checkout.path(path)).unwrap();
        checkout.write(path, &(so_far + rest));
    } else {
        return false;
    }
    true
}

#[test]
fn a_contributor_can_follow_the_steps() {
    tests::empty().run(async |db| {
        let checkout = Checkout::of_product();
        checkout.xtask(db, &["db-setup"]).expect(0, &[]);
        let contributing = contributing();
        let mut written = 0;
        for (language, block) in blocks(&contributing) {
            if write(&checkout, language, &block) {
                written += 1;
            } else if language == "sh" {
                for command in block.lines() {
                    follow(&checkout, db, command);
                }
            }
        }
        assert_eq!(written, 4);
        let note = product::next_migration("progress", "add_note").replace("progress/", "[X] ");
        checkout.xtask(db, &["showmigrations"]).expect(0, &["billing\n [X] 0001_initial", &note]);
        checkout.xtask(db, &["verify"]).expect(0, &["tables, exactly as apps.toml says"]);
        Ok(())
    });
}

#[test]
fn an_app_added_as_documented_passes_every_check_of_the_product() {
    tests::empty().run(async |db| {
        let checkout = Checkout::of_product();
        for (language, block) in blocks(&contributing()) {
            write(&checkout, language, &block);
        }
        checkout.xtask(db, &["makemigrations"]).expect(0, &["billing/0001_initial", "progress/0002_"]);
        checkout.xtask(db, &["db-setup"]).expect(0, &["billing/0001_initial"]);
        checkout.xtask(db, &["graph", "--check"]).expect(3, &["cargo xtask graph --write"]);
        for args in [
            &["graph", "--write"] as &[&str],
            &["erd", "--write"],
            &["graph", "--check"],
            &["erd", "--check"],
            &["db-check"],
            &["migrate", "--check"],
            &["seed", "--check"],
            &["verify"],
        ] {
            checkout.xtask(db, args).expect(0, &[]);
        }
        checkout.xtask(db, &["inspect", "invoices"]).expect(0, &["invoices  (app billing)"]);
        // Runs this program again, with the rules for every table on the copy.
        let rules = cmd!(std::env::current_exe()?, "schema::every")
            .env("XTASK_ROOT", checkout.root())
            .env(tests::service::SERVER, db.url())
            .env_remove(tests::service::SERVICE);
        let rules = outcome(&rules.unchecked());
        rules.expect(
            0,
            &["schema::every_table_has_a_comment ... ok", "schema::every_table_belongs_to_an_app ... ok"],
        );
        Ok(())
    });
}

#[test]
fn migrate_prints_the_error_that_the_readme_shows() {
    tests::empty().run(async |db| {
        let checkout = Checkout::of_product();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let locale = product::next_migration("users", "add_locale");
        let score = product::next_migration("progress", "add_score");
        checkout.migration(&locale, "select 1;", "select 1;");
        let up = "\n\n\n\n\n\ninsert into progres (user_id) values (gen_random_uuid());\n";
        checkout.migration(&score, up, "select 1;");
        let error = checkout.xtask(db, &["migrate"]).expect(1, &[]).stderr.clone();
        let readme = document("README.md");
        let readme =
            readme.replace("users/0002_add_locale", &locale).replace("progress/0002_add_score", &score);
        assert!(readme.contains(error.trim()), "{error}");
        Ok(())
    });
}

#[test]
fn the_test_in_the_readme_is_part_of_the_suite() {
    let source = document("tests/it/example.rs");
    let example = source.split_once("\n\n").unwrap().1;
    assert!(document("README.md").contains(&format!("```rust\n{example}```")));
}

#[test]
fn the_help_of_every_verb_has_an_example() {
    let checkout = Checkout::of_product();
    let help = |args: &[&str]| outcome(&checkout.bare_command(args)).expect(0, &[]).stdout.clone();
    let verbs = checkout.verbs();
    assert!(verbs.len() >= 15, "{verbs:?}");
    for verb in &verbs {
        let help = help(&[verb, "--help"]);
        assert!(help.contains("Example") && help.contains("cargo xtask"), "{verb}: {help}");
        assert!(document("README.md").contains(verb), "{verb} is not in the README");
    }
}

#[test]
fn every_environment_variable_is_listed() {
    let (listed, prefixes) = (document("CONTRIBUTING.md"), ["XTASK_", "SUPERUSER_"]);
    for folder in ["xtask/src", "tests/src", "tests/client/src", "tests/it", "backend/src"] {
        for entry in walk(&workspace_root().join(folder)) {
            for word in entry
                .split(|c: char| !c.is_ascii_uppercase() && c != '_')
                .filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)))
            {
                assert!(
                    prefixes.contains(&word) || listed.contains(&format!("`{word}`")),
                    "{word} is not in CONTRIBUTING.md"
                );
            }
        }
    }
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![fs::read_to_string(path).unwrap()] })
        .collect()
}

#[test]
fn the_recipe_for_an_env_file_leaves_no_password_that_others_can_read() {
    let readme = document("README.md");
    let recipe = readme.split('`').find(|code| code.ends_with(">> .env")).unwrap();
    let recipe = recipe.replace("cargo xtask", &xtask().display().to_string());
    tests::empty().run(async |db| {
        for before in [None, Some("SMTP_HOST=mail.example.org\n")] {
            let checkout = Checkout::new();
            let file = checkout.root().join(".env");
            if let Some(before) = before {
                fs::write(&file, before)?;
                fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
            }
            let follow = cmd!("sh", "-c", format!("umask 022; {recipe}")).dir(checkout.root());
            outcome(&surrounded(&checkout, follow, &[("DATABASE_URL", OsStr::new(&db.url()))]))
                .expect(0, &[]);
            assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
            assert_eq!(
                fs::read_to_string(&file)?,
                format!("{}DATABASE_URL={}\n", before.unwrap_or(""), db.url())
            );
        }
        Ok(())
    });
}
