//! What a command shows at a terminal, and not in a log.

use duct::cmd;
use sqlx::{AssertSqlSafe, Executor};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, Outcome, xtask},
    terminal::{STARTER, Terminal},
};

/// A command at a terminal, with colour or without.
pub(crate) fn at_a_terminal(
    checkout: &Checkout,
    db: &TestDatabase,
    args: &[&str],
    no_color: &str,
) -> Terminal {
    let words = [&STARTER[1..], &[xtask().to_str().unwrap()], args].concat();
    let command = cmd(STARTER[0], words)
        .env("XTASK_ROOT", checkout.root())
        .env("DATABASE_URL", db.url())
        .env("NO_COLOR", no_color)
        .env("TERM", "xterm")
        .env_remove("XTASK_SERVER");
    Terminal::start(&command.unchecked())
}

#[test]
fn a_slow_step_shows_its_time_until_it_is_done() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let wait =
            "do $$ begin while not exists (select from pg_class where relname = 'go_on') loop perform pg_sleep(0.005); end loop; end $$;";
        checkout.migration("people/0002_slow", wait, "select 1;");
        let mut screen = at_a_terminal(&checkout, db, &["migrate", "people"], "");
        screen.expect("people/0002_slow");
        screen.expect("1s");
        db.pool().execute("create table go_on ()").await?;
        let (code, seen) = screen.end();
        assert_eq!(code, 0, "{seen}");
        // The command wipes the progress and prints the step's final line.
        let (_, after) = seen.rsplit_once("\u{1b}[2K").unwrap();
        assert!(after.contains("people/0002_slow") && after.contains("applied"), "{seen:?}");
        assert!(!after.contains("1s"), "{seen:?}");
        Ok(())
    });
}

#[test]
fn a_log_gets_whole_lines_and_no_control_characters() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for args in [&["db-setup"] as &[&str], &["migrate", "nowhere"], &["verify"]] {
            let output = checkout.xtask(db, args);
            let all = format!("{}{}", output.stdout, output.stderr);
            assert!(!all.contains('\u{1b}') && !all.contains('\r') && !all.is_empty(), "{all:?}");
        }
        Ok(())
    });
}

#[test]
fn colour_repeats_the_word_and_no_color_disables_it() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let coloured = |args: &[&str], no_color| {
            let (code, seen) = at_a_terminal(&checkout, db, args, no_color).end();
            assert!(code != 0 && seen.contains("error") && seen.contains("nowhere"), "{seen:?}");
            seen.contains("\u{1b}[1;31m") || seen.contains("\u{1b}[1m\u{1b}[31m")
        };
        for args in [&["migrate", "nowhere"] as &[&str], &["nowhere"]] {
            assert!(coloured(args, ""), "{args:?}");
            assert!(!coloured(args, "1"), "{args:?}");
        }
        Ok(())
    });
}

/// What changes the colour of everything after it, by two kinds of control characters.
pub(crate) const RED: [&str; 2] = ["\u{1b}[31m", "\u{9b}31m"];

#[track_caller]
pub(crate) fn expect_plain(printed: &Outcome, said: &str) {
    let all = format!("{}{}", printed.stdout, printed.stderr);
    assert!(!all.contains(|c: char| c.is_control() && c != '\n'), "{all:?}");
    assert!(all.contains(said), "`{said}` was not printed: {all}");
}

#[test]
fn control_characters_of_files_rows_and_servers_are_written_out() {
    for red in RED {
        tests::empty().run(async |db| {
            let checkout = Checkout::new();
            let shown: String = red.chars().take(1).flat_map(char::escape_unicode).collect();
            // In the name of a file, in the arguments, and in a message of the server.
            let file = format!("people/0009_{red}.sql");
            checkout.write(&file, "select 1");
            expect_plain(&checkout.xtask(db, &["migrate"]), &shown);
            checkout.remove(&file);
            expect_plain(&checkout.xtask(db, &["migrate", "people", &format!("{red}9")]), &shown);
            expect_plain(&checkout.xtask(db, &["migrate", &format!("--{red}")]), "unexpected argument");
            let raise = format!("do $$ begin raise exception 'it is {red}'; end $$;");
            checkout.migration("people/0002_raise", &raise, "select 1;");
            expect_plain(&checkout.xtask(db, &["migrate"]), &shown);
            checkout.remove("people/0002_raise.up.sql");
            checkout.remove("people/0002_raise.down.sql");
            // In a name in the database.
            let create = format!("create table \"{red}\" (id int)");
            sqlx::raw_sql(AssertSqlSafe(create)).execute(db.pool()).await?;
            expect_plain(&checkout.xtask(db, &["db-check"]), &shown);
            let json = checkout.xtask(db, &["db-check", "--format", "json"]);
            expect_plain(&json, "\\u00");
            let json: serde_json::Value = serde_json::from_str(&json.stdout)?;
            assert!(json["differences"].as_array().unwrap().iter().any(|it| it["name"] == red), "{json}");
            Ok(())
        });
    }
}
