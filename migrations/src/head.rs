//! The head of a migration: the comment lines before its first statement, and the directives among them.

use crate::{Dependency, DependencyKind, Irreversible, ParseMigrationIdError, Place, Problem, statements};

/// The directives in the head of a file.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// The migrations in its `-- depends-on:` and `-- after:` lines.
    pub(crate) depends_on: Vec<Dependency>,
    /// Whether the file opens with `-- no-transaction`.
    pub(crate) no_transaction: bool,
    /// Its `-- irreversible:` line.
    pub(crate) irreversible: Option<Irreversible>,
}

const IRREVERSIBLE: &str = Irreversible::DIRECTIVE;
const NO_TRANSACTION: &str = "-- no-transaction";

pub(crate) fn parse(path: &str, text: &str, problems: &mut Vec<Problem>) -> Head {
    // As sqlx reads it. What does not stand there alone is a problem all the same.
    let mut head = Head { no_transaction: text.starts_with(NO_TRANSACTION), ..Head::default() };
    let body =
        statements::split(text).next().map_or(usize::MAX, |first| statements::line_at(text, first.start));
    for (index, line) in text.lines().enumerate() {
        let place = || Place::line(path, index + 1);
        let (line, in_head) = (line.trim_end(), index + 1 < body);
        if line == NO_TRANSACTION {
            // sqlx looks only at the first bytes of the file, so anything above would silently disable it.
            if index > 0 && in_head {
                problems.push(Problem::Head {
                    place: place(),
                    message: "`-- no-transaction` counts only as the very first line".to_owned(),
                });
            }
        } else if let Some((kind, value)) = dependency(line) {
            let directive = kind.directive();
            match value.trim().parse() {
                // `-- after: the last row` is prose in a body.
                Err(_) if !in_head && kind == DependencyKind::After => {}
                _ if !in_head => {
                    let message = format!("`{directive}` must be above the first statement");
                    problems.push(Problem::Head { place: place(), message });
                }
                Ok(on) => head.depends_on.push(Dependency { on, kind, place: place() }),
                Err(ParseMigrationIdError { text }) => {
                    let message =
                        format!("`{text}` is not a migration's name; write `{directive} app/0001_name`");
                    problems.push(Problem::Head { place: place(), message });
                }
            }
        } else if let Some(why) = line.strip_prefix(IRREVERSIBLE) {
            let why = why.trim();
            let wrong = if !in_head {
                Some(format!("`{IRREVERSIBLE}` must be above the first statement"))
            } else if why.is_empty() {
                Some(format!("`{IRREVERSIBLE}` lacks the reason; write `{IRREVERSIBLE} why`"))
            } else if head.irreversible.is_some() {
                Some(format!(
                    "there is a line `{IRREVERSIBLE}` above it; write the whole reason in one of the two"
                ))
            } else {
                None
            };
            match wrong {
                Some(message) => problems.push(Problem::Head { place: place(), message }),
                None => head.irreversible = Some(Irreversible { why: why.to_owned(), place: place() }),
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

/// A line that names a dependency, and what follows the directive.
fn dependency(line: &str) -> Option<(DependencyKind, &str)> {
    DependencyKind::ALL.into_iter().find_map(|kind| Some((kind, line.strip_prefix(kind.directive())?)))
}

/// The directive that a comment was probably meant to be. Ignoring a misspelt one would silently drop an edge of the
/// graph, keep a transaction, or take a migration without a way back for one that has one.
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
    let after = letters.strip_prefix("after").is_some_and(|rest| rest.contains('/'));
    let one_word = line.split_whitespace().count() <= 4;
    let irreversible = [
        "irreversible:",
        "irreversable:",
        "irreversibel:",
        "irrevertible:",
        "notreversible:",
        "nonreversible:",
        "nowayback:",
    ];
    if depends_on.iter().any(|word| letters.starts_with(word)) || (names_one && one_word) {
        Some("-- depends-on: app/0001_name")
    } else if after && one_word {
        Some("-- after: app/0001_name")
    } else if letters.starts_with("notransaction") {
        Some("-- no-transaction")
    } else if irreversible.iter().any(|word| letters.starts_with(word))
        // Without the colon, only if nothing follows; otherwise it is prose.
        || letters.trim_end_matches('.') == "irreversible"
    {
        Some("-- irreversible: why")
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
    fn a_migration_can_come_after_another_without_depending_on_it() {
        let mut problems = Vec::new();
        let head = parse("x", "-- after: b/0002_y\n-- depends-on: c/0001_z\nselect 1;", &mut problems);
        let kinds: Vec<DependencyKind> = head.depends_on.iter().map(|it| it.kind).collect();
        assert_eq!(
            (kinds.as_slice(), problems.len()),
            (&[DependencyKind::After, DependencyKind::DependsOn][..], 0)
        );
        check("select 1;\n-- after: the rows\n", &[], &[]);
        check("select 1;\n-- after: b/0001_x\n", &[], &["`-- after:` must be above"]);
        check("-- after: the rows\nselect 1;", &[], &["`the rows` is not a migration's name"]);
        check("--after b/0001_x\nselect 1;", &[], &["write `-- after: app/0001_name`"]);
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
    fn the_reason_why_there_is_no_way_back_is_read_with_its_line() {
        let head = parse("x", "-- Merges.\n-- irreversible: a: b \r\nselect 1;", &mut Vec::new());
        let line = head.irreversible.unwrap();
        assert_eq!((line.why.as_str(), line.place.to_string().as_str()), ("a: b", "x:2"));
        assert!(parse("x", "\n-- irreversible:x", &mut Vec::new()).irreversible.is_some());
    }

    #[test]
    fn a_line_without_a_way_back_that_has_no_effect_is_a_problem() {
        let form = "write `-- irreversible: why`, at the start of the line";
        for line in [
            "-- irreversible",
            "-- Irreversible.",
            "--irreversible: x",
            "-- Irreversible: x",
            "  -- irreversible: x",
            "-- not reversible: x",
            "-- not-reversible: x",
            "-- irreversable: x",
            "-- irreversible : x",
            "-- no way back: x",
        ] {
            check(&format!("{line}\nselect 1;"), &[], &[form]);
        }
        check(
            "-- irreversible: \nselect 1;",
            &[],
            &["a/0001_x.up.sql:1: `-- irreversible:` lacks the reason"],
        );
        check("select 1;\n-- irreversible: x", &[], &["a/0001_x.up.sql:2: `-- irreversible:` must be above"]);
        check("-- irreversible: x\n-- irreversible: y", &[], &["a/0001_x.up.sql:2: there is a line"]);
        check("-- Irreversible changes come later.\n-- This is irreversible: x\nselect 1;", &[], &[]);
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
