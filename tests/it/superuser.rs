//! `createsuperuser` and `changepassword`, as developers run them with `cargo xtask` and as deploys run them.

mod prompts;

use std::{fs, path::PathBuf, sync::LazyLock};

use ::backend::{
    audit::Actor,
    users::{self, Device, Scope, SignIn},
};
use duct::{Expression, cmd};
use tests::TestDatabase;

use crate::{
    checkout::{Checkout, Outcome, built, outcome, xtask},
    locking::wait_for_session,
    product,
    snapshot::snapshot,
};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "an engine of 4 wheels";
const NEW: &str = "a loom that weaves algebra";

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| built("backend"));

/// The two ways to run these verbs.
#[derive(Clone, Copy)]
enum By {
    Xtask,
    Program,
}

impl By {
    /// The name that messages use for it.
    fn name(self) -> &'static str {
        match self {
            By::Xtask => "cargo xtask",
            By::Program => "backend",
        }
    }

    /// The command, preceded by the words of a starter.
    fn command(self, checkout: &Checkout, db: &TestDatabase, starter: &[&str], args: &[&str]) -> Expression {
        let program = match self {
            By::Xtask => xtask().to_owned(),
            By::Program => PROGRAM.clone(),
        };
        let words: Vec<_> = starter
            .iter()
            .chain(&[program.to_str().unwrap()])
            .chain(args)
            .copied()
            .map(str::to_owned)
            .collect();
        cmd(&words[0], &words[1..])
            .dir(checkout.root())
            .env("XTASK_ROOT", checkout.root())
            .env("DATABASE_URL", db.url())
            .env_remove("XTASK_SERVER")
            .unchecked()
    }

    /// Runs it without a terminal, with these variables and this standard input.
    fn run(self, db: &TestDatabase, args: &[&str], variables: &[(&str, &str)], input: &str) -> Outcome {
        let checkout = Checkout::of_product();
        let command = self.command(&checkout, db, &[], args).stdin_bytes(input);
        let command = variables.iter().fold(command, |command, (name, value)| command.env(name, value));
        let outcome = outcome(&command);
        for secret in [PASSWORD, NEW] {
            assert!(!format!("{outcome:?}").contains(secret), "{outcome:?}");
        }
        outcome
    }
}

/// Creates the superuser of these tests.
fn create(db: &TestDatabase) {
    let args = ["createsuperuser", "--noinput", "--email", EMAIL];
    By::Program.run(db, &args, &[("SUPERUSER_PASSWORD", PASSWORD)], "").expect(0, &[]);
}

/// The number of permissions after a sign-in with this password; 0 if the sign-in fails.
async fn count_permissions(db: &TestDatabase, email: &str, password: &str) -> usize {
    let (mut conn, actor) = (db.pool().acquire().await.unwrap(), Actor::system("test"));
    match users::sign_in(&mut conn, &actor, email, password).await.unwrap() {
        SignIn::Welcome(user) => {
            let device = Device { fingerprint: "f1n9e4", name: None, kind: None };
            users::open_session(&mut conn, &actor, user.id, &device).await.unwrap();
            users::permissions_of(&mut conn, user.id, &Scope::Global).await.unwrap().len()
        }
        SignIn::Refused | SignIn::Closed(_) => 0,
    }
}

#[test]
fn arguments_and_variables_create_a_superuser_with_every_permission() {
    let variables =
        [("SUPERUSER_EMAIL", EMAIL), ("SUPERUSER_USERNAME", "ada"), ("SUPERUSER_PASSWORD", PASSWORD)];
    let arguments = ["createsuperuser", "--noinput", "--email", EMAIL, "--username=ada"];
    for (by, args, variables, input) in [
        (By::Xtask, &arguments[..2], &variables[..], ""),
        (By::Program, &arguments[..2], &variables[..], "another password, which is not read\n"),
        (By::Xtask, &arguments[..], &[][..], "an engine of 4 wheels\nrest"),
        (By::Program, &arguments[..], &[][..], "an engine of 4 wheels\r\n"),
    ] {
        tests::with_database(async |db| {
            by.run(db, args, variables, input).expect(0, &["created superuser ada@example.org"]);
            assert_eq!(count_permissions(db, "ADA@example.org", PASSWORD).await, 55);
            let name: String = sqlx::query_scalar("select username from users").fetch_one(db.pool()).await?;
            assert_eq!(name, "ada");
            Ok(())
        });
    }
}

#[test]
fn a_password_that_breaks_a_rule_is_refused_with_the_rule() {
    tests::with_database(async |db| {
        let before = snapshot(db).await;
        for (password, rule) in [
            ("q7#kP!z", "is shorter than 8 characters"),
            ("83746529", "is only digits"),
            ("PassWord1", "is too common"),
            ("ada@example.org", "is too similar to the address or the name"),
            ("countess", "is too similar to the address or the name"),
            (&"x7".repeat(600), "is longer than 1024 characters"),
        ] {
            let args = ["createsuperuser", "--noinput", "--email", EMAIL, "--username", "countess"];
            let refused = By::Program.run(db, &args, &[("SUPERUSER_PASSWORD", password)], "");
            refused.expect(1, &[&format!("superuser {EMAIL} was not created: the password {rule}")]);
        }
        for input in ["", "\n"] {
            let args = ["createsuperuser", "--noinput", "--email", EMAIL];
            By::Program
                .run(db, &args, &[], input)
                .expect(1, &["no password; nothing was written", "set SUPERUSER_PASSWORD"]);
        }
        let no_address =
            By::Program.run(db, &["createsuperuser", "--noinput"], &[("SUPERUSER_PASSWORD", NEW)], "");
        no_address.expect(1, &["no e-mail address; nothing was written", "set SUPERUSER_EMAIL"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn a_second_superuser_of_one_address_or_name_is_refused_and_nothing_changes() {
    tests::with_database(async |db| {
        create(db);
        let before = snapshot(db).await;
        for by in [By::Xtask, By::Program] {
            let with = |email, username| {
                let args = ["createsuperuser", "--noinput", "--email", email, "--username", username];
                by.run(db, &args, &[("SUPERUSER_PASSWORD", NEW)], "")
            };
            with("ADA@Example.org", "another").expect(
                1,
                &[
                    "ADA@Example.org: this e-mail address is taken; nothing was written",
                    &format!("to set a new password for it: {} changepassword", by.name()),
                ],
            );
            // `create` gives no name, so the first superuser's name is the address.
            with("eve@example.org", "ADA@example.org").expect(1, &["this username is taken"]);
        }
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn without_a_terminal_there_are_no_prompts() {
    tests::with_database(async |db| {
        create(db);
        let before = snapshot(db).await;
        for by in [By::Xtask, By::Program] {
            for (args, advice) in [
                (
                    &["createsuperuser"][..],
                    "createsuperuser --noinput, with SUPERUSER_EMAIL and SUPERUSER_PASSWORD",
                ),
                (&["changepassword"][..], "changepassword EMAIL --noinput, with SUPERUSER_PASSWORD"),
            ] {
                let advice = format!("without one: {} {advice} set", by.name());
                by.run(db, args, &[], "eve@example.org\neve\nsecret\nsecret\n")
                    .expect(1, &["there is no terminal", &advice]);
            }
        }
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn no_command_line_holds_a_password_and_no_verb_accepts_one_there() {
    for by in [By::Xtask, By::Program] {
        tests::with_database(async |db| {
            for args in [
                &["createsuperuser", "--noinput", "--email", EMAIL, "--password", PASSWORD][..],
                &["createsuperuser", "--password=an engine of 4 wheels"],
                &["changepassword", EMAIL, "--password", PASSWORD],
                &["changepassword", EMAIL, PASSWORD],
            ] {
                let error = ["passwords are not accepted on the command line", "SUPERUSER_PASSWORD"];
                by.run(db, args, &[], "").expect(2, &error);
            }
            // The command waits as long as this transaction locks the table.
            let mut holder = db.pool().begin().await?;
            sqlx::query("lock table users").execute(&mut *holder).await?;
            let (checkout, args) =
                (Checkout::of_product(), ["createsuperuser", "--noinput", "--email", EMAIL]);
            let running = by.command(&checkout, db, &[], &args).stdin_bytes(PASSWORD);
            let running = running.stdout_capture().stderr_capture().start()?;
            wait_for_session(db, "insert into users").await;
            let lines = command_lines();
            assert!(lines.iter().any(|line| line.contains("createsuperuser --noinput")), "{lines:?}");
            assert!(!lines.iter().any(|line| line.contains(PASSWORD)), "{lines:?}");
            holder.rollback().await?;
            assert!(running.wait()?.status.success());
            Ok(())
        });
    }
}

/// The command lines of every process on this machine, with spaces between the words.
fn command_lines() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cmdline"));
    let lines = processes.filter_map(|path| fs::read(path).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

#[test]
fn a_new_password_replaces_the_old_one_and_ends_every_session() {
    tests::with_database(async |db| {
        create(db);
        assert_eq!(count_permissions(db, EMAIL, PASSWORD).await, 55);
        let args = ["changepassword", "ADA@example.org", "--noinput"];
        let weak = By::Program.run(db, &args, &[("SUPERUSER_PASSWORD", "ada.example")], "");
        weak.expect(
            1,
            &["the password of ADA@example.org was not changed: the password is too similar to the address"],
        );
        assert_eq!(count_permissions(db, EMAIL, PASSWORD).await, 55);
        By::Xtask
            .run(db, &args, &[], NEW)
            .expect(0, &["the password of ADA@example.org was changed; 2 sessions ended"]);
        assert_eq!(
            (count_permissions(db, EMAIL, PASSWORD).await, count_permissions(db, EMAIL, NEW).await),
            (0, 55)
        );

        let before = snapshot(db).await;
        let unknown = By::Program.run(db, &["changepassword", "eve@example.org", "--noinput"], &[], NEW);
        unknown.expect(1, &["the password of eve@example.org was not changed: there is no such user"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn an_unready_database_is_refused_with_the_command_that_prepares_it() {
    let project = product::project();
    let [first, second, rest @ ..] = &project.migrations[..] else { panic!("two migrations at least") };
    let all = format!("{} and {} more", first.id, rest.len() + 1);
    let all_but_one = format!("{} and {} more", second.id, rest.len());
    for (setup, xtask, program) in [
        (tests::empty(), &all[..], &all[..]),
        (tests::at(&first.id.to_string()), &all_but_one, &all_but_one),
        (tests::unseeded(), "write them: cargo xtask seed", "write them: backend migrate"),
    ] {
        setup.run(async |db| {
            let before = snapshot(db).await;
            for (by, advice) in [(By::Xtask, xtask), (By::Program, program)] {
                for verb in ["createsuperuser", "changepassword"] {
                    let variables = [("SUPERUSER_EMAIL", EMAIL), ("SUPERUSER_PASSWORD", PASSWORD)];
                    let refused = by.run(db, &[verb, "--noinput"], &variables, "");
                    refused.expect(3, &[advice, "nothing was written"]);
                    assert!(
                        refused.stderr.contains(&format!("{} migrate", by.name()))
                            || advice.contains("write them")
                    );
                }
            }
            assert_eq!(before, snapshot(db).await);
            Ok(())
        });
    }
}

#[test]
fn the_error_for_a_manifest_without_a_program_shows_what_to_add() {
    tests::with_database(async |db| {
        let checkout = Checkout::of_product();
        checkout.replace("apps.toml", "program = \"backend\"", "");
        let output = checkout.xtask(db, &["createsuperuser", "--noinput"]);
        output.expect(1, &["migrations/apps.toml names no program", "program = \"PACKAGE\""]);
        Ok(())
    });
}
