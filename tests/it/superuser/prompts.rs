//! The same verbs at a terminal, where they prompt for what is missing.

use super::{By, EMAIL, NEW, PASSWORD, count_permissions, create};
use crate::{
    checkout::Checkout,
    snapshot::snapshot,
    terminal::{CTRL_C, CTRL_D, STARTER, Terminal},
};

#[test]
fn createsuperuser_prompts_until_every_answer_is_valid_and_never_shows_the_password() {
    for by in [By::Xtask, By::Program] {
        tests::with_database(async |db| {
            let checkout = Checkout::of_product();
            let taken = ["createsuperuser", "--noinput", "--email", "eve@example.org", "--username", "eve"];
            By::Program.run(db, &taken, &[("SUPERUSER_PASSWORD", NEW)], "").expect(0, &[]);
            let mut terminal = Terminal::start(&by.command(&checkout, db, &STARTER, &["createsuperuser"]));
            for (prompt, answer, then) in [
                ("E-mail: ", "ada", "this is not an e-mail address"),
                ("E-mail: ", "EVE@example.org", "this e-mail address is taken"),
                ("E-mail: ", EMAIL, ""),
                ("Username [ada@example.org]: ", "Eve", "this username is taken"),
                ("Username [ada@example.org]: ", "", ""),
                ("Password: ", "s3cret", "the password is shorter than 8 characters"),
                ("Password: ", PASSWORD, ""),
                ("Password again: ", NEW, "the passwords do not match"),
                ("Password: ", PASSWORD, ""),
                ("Password again: ", PASSWORD, "created superuser ada@example.org"),
            ] {
                terminal.expect(prompt);
                assert_eq!(terminal.shows_typing(), !prompt.starts_with("Password"), "{prompt}");
                terminal.type_line(answer);
                terminal.expect(then);
            }
            assert!(terminal.shows_typing());
            let (code, seen) = terminal.end();
            assert_eq!(code, 0, "{seen}");
            for secret in ["s3cret", PASSWORD, NEW] {
                assert!(!seen.contains(secret), "{seen}");
            }
            assert_eq!(count_permissions(db, EMAIL, PASSWORD).await, 55);
            Ok(())
        });
    }
}

#[test]
fn ctrl_c_at_a_prompt_restores_the_terminal_and_writes_nothing() {
    for by in [By::Xtask, By::Program] {
        tests::with_database(async |db| {
            let checkout = Checkout::of_product();
            let before = snapshot(db).await;
            for last in ["E-mail: ", "Password: ", "Password again: "] {
                let mut terminal =
                    Terminal::start(&by.command(&checkout, db, &STARTER, &["createsuperuser"]));
                for (prompt, answer) in [
                    ("E-mail: ", EMAIL),
                    ("Username [", "ada"),
                    ("Password: ", PASSWORD),
                    ("Password again: ", ""),
                ] {
                    terminal.expect(prompt);
                    if prompt == last {
                        terminal.type_keys(CTRL_C);
                        break;
                    }
                    terminal.type_line(answer);
                }
                terminal.expect("\ninterrupted: the open transaction was rolled back");
                assert!(terminal.shows_typing());
                let (code, seen) = terminal.end();
                assert_eq!(code, 130, "{seen}");
            }
            assert_eq!(before, snapshot(db).await);
            Ok(())
        });
    }
}

#[test]
fn the_end_of_the_input_is_no_answer() {
    tests::with_database(async |db| {
        let before = snapshot(db).await;
        let checkout = Checkout::of_product();
        let args = ["createsuperuser", "--email", EMAIL, "--username", "ada"];
        let mut terminal = Terminal::start(&By::Program.command(&checkout, db, &STARTER, &args));
        terminal.expect("Password: ");
        terminal.type_keys(CTRL_D);
        let (code, seen) = terminal.end();
        assert!(code == 1 && seen.contains("\nerror: input closed; nothing was written"), "{code} {seen}");
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn changepassword_prompts_until_every_answer_is_valid() {
    tests::with_database(async |db| {
        create(db);
        assert_eq!(count_permissions(db, EMAIL, PASSWORD).await, 55);
        let checkout = Checkout::of_product();
        let mut terminal = Terminal::start(&By::Xtask.command(&checkout, db, &STARTER, &["changepassword"]));
        for (prompt, answer, then) in [
            ("E-mail: ", "eve@example.org", "there is no such user"),
            ("E-mail: ", "Ada@example.org", ""),
            ("Password: ", "password1", "the password is too common"),
            ("Password: ", NEW, ""),
            ("Password again: ", NEW, "the password of ada@example.org was changed; 1 session ended"),
        ] {
            terminal.expect(prompt);
            terminal.type_line(answer);
            terminal.expect(then);
        }
        let (code, seen) = terminal.end();
        assert!(code == 0 && !seen.contains(NEW), "{code} {seen}");
        assert_eq!(
            (count_permissions(db, EMAIL, PASSWORD).await, count_permissions(db, EMAIL, NEW).await),
            (0, 55)
        );
        Ok(())
    });
}
