//! The commands that messages name. On another database than the main one each has `--database`, so that what people paste
//! works on the database that the message is about.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

/// The verbs that work on a database of the project, and so have `--database`.
pub(crate) const ON_DATABASE: &[&str] = &[
    "db-setup",
    "db-check",
    "db-reset",
    "db-drop",
    "db-url",
    "db-shell",
    "makemigrations",
    "renumber",
    "migrate",
    "adopt",
    "inspect",
    "showmigrations",
    "sqlmigrate",
    "sqlx",
    "erd",
    "graph",
    "seed",
    "flush",
    "dumpdata",
    "loaddata",
    "verify",
    "scratch",
];

/// What such a command begins with.
const TOOL: &str = "cargo xtask ";

/// The database that this process works on, if the commands have to name it. It works on one at a time.
static DATABASE: Mutex<Option<String>> = Mutex::new(None);

/// From now on messages are about this database.
pub(crate) fn name_database(name: &str) {
    *DATABASE.lock().unwrap_or_else(PoisonError::into_inner) = Some(name.to_owned());
}

/// A message in which the commands name the database.
pub(super) fn complete(text: &str) -> Cow<'_, str> {
    match &*DATABASE.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(name) => Cow::Owned(on_database(text, name)),
        None => Cow::Borrowed(text),
    }
}

fn on_database(text: &str, name: &str) -> String {
    let mut parts = text.split(TOOL);
    let mut complete = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        complete.push_str(TOOL);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let (verb, rest) = part.split_at(part.find(|c| !is_word(c)).unwrap_or(part.len()));
        complete.push_str(verb);
        if ON_DATABASE.contains(&verb) && !rest.starts_with(" --database ") {
            complete.push_str(" --database ");
            complete.push_str(name);
        }
        complete.push_str(rest);
    }
    complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_on_a_database_name_it_and_only_once() {
        for (text, expected) in [
            ("apply it: cargo xtask migrate\n", "apply it: cargo xtask migrate --database prover\n"),
            ("cargo xtask migrate a zero", "cargo xtask migrate --database prover a zero"),
            ("cargo xtask migrate --database prover", "cargo xtask migrate --database prover"),
            (
                "cargo xtask db-drop && cargo xtask diff A B",
                "cargo xtask db-drop --database prover && cargo xtask diff A B",
            ),
            ("in a cargo xtask of your own", "in a cargo xtask of your own"),
        ] {
            assert_eq!(on_database(text, "prover"), expected);
        }
    }
}
