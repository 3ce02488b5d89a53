//! The head of a migration: the comment lines before its first statement, and the directives among them.

use crate::{Dependency, ParseMigrationIdError, Place, Problem, statements};

/// The directives in the head of a file.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// The migrations in its `-- depends-on:` lines.
    pub(crate) depends_on: Vec<Dependency>,
    /// Whether the file opens with `-- no-transaction`.
    pub(crate) no_transaction: bool,
}

const DEPENDS_ON: &str = Dependency::DIRECTIVE;
const NO_TRANSACTION: &str = "-- no-transaction";

pub(crate) fn parse(path: &str, text: &str, problems: &mut Vec<Problem>) -> Head {
    let mut head = Head::default();
    let body =
        statements::split(text).first().map_or(usize::MAX, |first| statements::line_at(text, first.start));
    for (index, line) in text.lines().enumerate() {
        let place = || Place::line(path, index + 1);
        let (line, in_head) = (line.trim_end(), index + 1 < body);
        if line == NO_TRANSACTION {
            // sqlx looks only at the first bytes of the file, so anything above would silently disable it.
            if index == 0 {
                head.no_transaction = true;
            } else if in_head {
                problems.push(Problem::Head {
                    place: place(),
                    message: "`-- no-transaction` counts only as the very first line".to_owned(),
                });
            }
        } else if let Some(value) = line.strip_prefix(DEPENDS_ON) {
            if !in_head {
                let message = "`-- depends-on:` must be above the first statement".to_owned();
                problems.push(Problem::Head { place: place(), message });
                continue;
            }
            match value.trim().parse() {
                Ok(on) => head.depends_on.push(Dependency { on, place: place() }),
                Err(ParseMigrationIdError { text }) => {
                    let message =
                        format!("`{text}` is not a migration's name; write `{DEPENDS_ON} app/0001_name`");
                    problems.push(Problem::Head { place: place(), message });
                }
            }
        } else if in_head && let Some(meant) = meant(line) {
            let message = format!(
                "`{}` has no effect in that form; write `{meant}`, at the start of the line",
                line.trim()
            );
            problems.push(Problem::Head { place: place(), message });
        }
    }
    head
}

/// The directive that a comment was probably meant to be. Ignoring a misspelt one would silently drop an edge of the
/// graph, or keep a transaction.
fn meant(line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    if !line.starts_with("--") {
        return None;
    }
    let letters: String =
        line.trim_start_matches('-').chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect();
    let letters = letters.to_ascii_lowercase();
    let depends_on = ["dependson:", "dependon:", "depends:", "dependency:", "dependencies:"];
    // Without the colon, only if a migration's name follows; otherwise it is prose.
    let names_one =
        letters.strip_prefix("dependson").is_some_and(|rest| rest.contains('/') && !rest.contains(':'));
    let one_word = line.split_whitespace().count() <= 4;
    if depends_on.iter().any(|word| letters.starts_with(word)) || (names_one && one_word) {
        Some("-- depends-on: app/0001_name")
    } else if letters.starts_with("notransaction") {
        Some("-- no-transaction")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, depends_on: &[&str], problems: &[&str]) {
        let mut found = Vec::new();
        let head = parse("a/0001_x.up.sql", text, &mut found);
        let name = |it: &Dependency| format!("{}:{}", it.on, it.place.line.unwrap());
        let names: Vec<String> = head.depends_on.iter().map(name).collect();
        assert_eq!(names, depends_on);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), problems.len(), "{found:?}");
        for (found, expected) in found.iter().zip(problems) {
            assert!(found.contains(expected), "{found} lacks {expected}");
        }
    }

    #[test]
    fn dependencies_are_read_with_their_lines() {
        check(
            "-- Why.\n-- depends-on: b/0001_x\n\n-- depends-on: b/0002_y\nselect 1;",
            &["b/0001_x:2", "b/0002_y:4"],
            &[],
        );
    }

    #[test]
    fn a_dependency_below_the_first_statement_is_a_problem() {
        check("select 1;\n-- depends-on: b/0001_x", &[], &["a/0001_x.up.sql:2"]);
    }

    #[test]
    fn a_misspelt_directive_is_a_problem() {
        check("-- depends on: b/0001_x\nselect 1;", &[], &["write `-- depends-on:"]);
        check("-- depends-on: b\nselect 1;", &[], &["`b` is not a migration's name"]);
        check("  -- depends-on: b/0001_x\nselect 1;", &[], &["at the start of the line"]);
        check("-- depends-on b/0001_x\nselect 1;", &[], &["write `-- depends-on:"]);
        check("/* licence */\n-- Depends-On: b/0001_x\nselect 1;", &[], &["write `-- depends-on:"]);
        check("-- no-transaction: why\nselect 1;", &[], &["write `-- no-transaction`"]);
        check("--no-transaction\nselect 1;", &[], &["write `-- no-transaction`"]);
        check("-- This depends on b: see there.\n-- depends on what a/b says there\nselect 1;", &[], &[]);
    }

    #[test]
    fn a_block_comment_belongs_to_the_head() {
        check("/* licence\n*/\n-- depends-on: b/0001_x\nselect 1;", &["b/0001_x:3"], &[]);
    }

    #[test]
    fn no_transaction_counts_only_as_the_first_line() {
        assert!(parse("x", "-- no-transaction\nselect 1", &mut Vec::new()).no_transaction);
        check("-- Why.\n-- no-transaction\nselect 1;", &[], &["very first line"]);
    }
}
