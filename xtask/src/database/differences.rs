//! The differences of two schemas, for people and as JSON.

use std::collections::BTreeSet;

use catalogue::{Address, Catalogue, Change, Difference, Kind, Strength, Value, words};
use serde::Serialize;

/// The number of objects that are listed; the rest are only counted.
const MOST_SHOWN: usize = 20;
/// The number of characters of a value that are shown.
const WIDTH: usize = 100;

/// A difference in `--format json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    /// `missing`, `unexpected` or `differs`; of a migration, what is wrong with it.
    pub(crate) difference: &'static str,
    /// What differs: `table`, `column`, `index`.
    pub(crate) kind: String,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) part: String,
    /// What about it differs; `None` if the whole object is missing or unexpected.
    pub(crate) attribute: Option<String>,
    pub(crate) expected: Option<String>,
    pub(crate) found: Option<String>,
}

impl Row {
    /// A whole object is shown by its line of the canonical text.
    pub(crate) fn new(wanted: &Catalogue, real: &Catalogue, difference: &Difference) -> Row {
        let line = |of: &Catalogue| Some(of.get(&difference.address)?.line());
        let Address { kind, schema, name, part } = difference.address.clone();
        let row = |word, attribute: Option<&str>, expected, found| Row {
            difference: word,
            kind: kind.to_string(),
            schema: schema.clone(),
            name: name.clone(),
            part: part.clone(),
            attribute: attribute.map(words),
            expected,
            found,
        };
        match &difference.change {
            Change::Missing => row("missing", None, line(wanted), None),
            Change::Unexpected => row("unexpected", None, None, line(real)),
            Change::Differs { attribute, expected, found, .. } => {
                let shown = |value: &Value| (!value.is_absent()).then(|| value.to_string());
                row("differs", Some(attribute), shown(expected), shown(found))
            }
        }
    }
}

/// The differences as rows for `--format json`.
pub(crate) fn rows(expected: &Catalogue, found: &Catalogue, differences: &[Difference]) -> Vec<Row> {
    differences.iter().map(|it| Row::new(expected, found, it)).collect()
}

/// The words for what only one of two schemas has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    missing: &'static str,
    unexpected: &'static str,
}

/// For a schema that was found, compared with what should be.
pub(crate) const MADE: Words = Words { missing: "missing", unexpected: "unexpected" };
/// For the schema after a way back, compared with the one before the way forward.
pub(crate) const REVERTED: Words = Words { missing: "lost", unexpected: "remains" };

/// What makes two schemas different, as lines for people; empty if nothing does.
pub(crate) fn real_lines(expected: &Catalogue, found: &Catalogue, words: Words) -> Vec<String> {
    lines(expected, found, &real(expected, found), words)
}

/// The differences that make two schemas different, without notes such as the order of columns.
pub(crate) fn real(expected: &Catalogue, found: &Catalogue) -> Vec<Difference> {
    let mut differences = catalogue::differences(expected, found);
    differences.retain(|it| !it.is_note());
    differences
}

/// The differences of a database from what migrations make. The database itself may have more settings and rights.
pub(crate) fn from_database(expected: &Catalogue, found: &Catalogue) -> Vec<Difference> {
    let mut differences = real(expected, found);
    differences.retain(|it| !only_added(it));
    differences
}

/// Whether the database itself only has more than a migration made: a setting or a right that someone else gave it.
pub(crate) fn only_added(difference: &Difference) -> bool {
    let Change::Differs { expected, found, .. } = &difference.change else { return false };
    difference.address.kind == Kind::Database
        && match (expected, found) {
            (Value::Absent, _) => true,
            (Value::Set(expected), Value::Set(found)) => expected.iter().all(|it| found.contains(it)),
            _ => false,
        }
}

/// The differences as lines for people, without what follows from others: the columns of a missing table, the index of a
/// missing constraint.
pub(crate) fn lines(
    expected: &Catalogue,
    found: &Catalogue,
    differences: &[Difference],
    words: Words,
) -> Vec<String> {
    let mut shown = independent(expected, found, differences);
    let more = shown.split_off(MOST_SHOWN.min(shown.len())).len();
    let mut lines: Vec<String> = shown.into_iter().flat_map(|it| line(expected, found, it, words)).collect();
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines
}

/// The differences that do not follow from others.
pub(crate) fn independent<'d>(
    expected: &Catalogue,
    found: &Catalogue,
    differences: &'d [Difference],
) -> Vec<&'d Difference> {
    let gone = |change: Change| -> BTreeSet<&Address> {
        differences.iter().filter(|it| it.change == change).map(|it| &it.address).collect()
    };
    let (missing, unexpected) = (gone(Change::Missing), gone(Change::Unexpected));
    let follows = |it: &&Difference| {
        let (with, catalogue) = match it.change {
            Change::Missing => (&missing, expected),
            Change::Unexpected => (&unexpected, found),
            Change::Differs { .. } => return false,
        };
        let needs = catalogue.get(&it.address).map(|object| object.needs.as_slice()).unwrap_or_default();
        needs.iter().any(|need| need.strength != Strength::Normal && with.contains(&*need.on))
            || with
                .iter()
                .any(|whole| it.address.is_part_of(whole) && it.address != **whole && !whole.kind.is_part())
    };
    differences.iter().filter(|it| !follows(it)).collect()
}

/// One difference for people, in one line or three.
pub(crate) fn line(
    expected: &Catalogue,
    found: &Catalogue,
    difference: &Difference,
    words: Words,
) -> Vec<String> {
    let word = match difference.change {
        Change::Missing => words.missing,
        Change::Unexpected => words.unexpected,
        Change::Differs { .. } => "differs",
    };
    let text = format!("{word:<11} {}", what(expected, found, difference));
    text.lines().map(str::to_owned).collect()
}

/// The same without the word that says how it differs.
pub(crate) fn what(expected: &Catalogue, found: &Catalogue, difference: &Difference) -> String {
    let address = &difference.address;
    let whole = |catalogue: &Catalogue| {
        let line = catalogue.get(address).map(|object| object.line());
        shortened(&line.unwrap_or_else(|| address.to_string()))
    };
    match &difference.change {
        Change::Missing => whole(expected),
        Change::Unexpected => whole(found),
        Change::Differs { attribute, expected, found, .. } => {
            let (expected, found) = only_different(expected, found);
            let separator = if address.name().is_empty() { " " } else { ": " };
            format!(
                "{address}{separator}{}\n    expected  {}\n    found     {}",
                words(attribute),
                shown(&expected),
                shown(&found)
            )
        }
    }
}

/// Of two sets, the elements that the other has not.
fn only_different(expected: &Value, found: &Value) -> (Value, Value) {
    let without = |one: &Value, other: &Value| match (one, other) {
        (Value::Set(one), Value::Set(other)) => {
            let only: Vec<String> = one.iter().filter(|it| !other.contains(it)).cloned().collect();
            if only.is_empty() { Value::Absent } else { Value::Set(only) }
        }
        _ => one.clone(),
    };
    (without(expected, found), without(found, expected))
}

/// A value for people.
fn shown(value: &Value) -> String {
    if value.is_absent() {
        return "nothing".to_owned();
    }
    shortened(&value.to_string())
}

/// The first line of a text, cut off if it is long.
fn shortened(whole: &str) -> String {
    let first = whole.lines().next().unwrap_or_default();
    let cut: String = first.chars().take(WIDTH).collect();
    if cut == whole { cut } else { format!("{cut} …") }
}
