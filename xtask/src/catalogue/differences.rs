//! How two catalogues differ, object by object.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use crate::catalogue::Catalogue;

/// Kinds of objects whose name is two words.
const TWO_WORDS: &[&str] = &[
    "composite type",
    "default privileges",
    "event trigger",
    "foreign server",
    "foreign table",
    "materialized view",
    "partitioned table",
];
/// The number of objects that are listed; the rest are only counted.
const MOST_SHOWN: usize = 20;
/// The number of characters of a definition that are shown.
const WIDTH: usize = 100;

/// An object that is not the same in both catalogues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// Its kind and name.
    object: String,
    /// Its definition in the expected catalogue; `None` if it should not exist.
    expected: Option<String>,
    /// Its definition in the other catalogue; `None` if it does not exist.
    found: Option<String>,
}

impl Difference {
    pub(crate) fn is_unexpected(&self) -> bool {
        self.expected.is_none()
    }
}

/// The missing objects, then the unexpected ones, then those with another definition.
pub(crate) fn between(expected: &Catalogue, found: &Catalogue) -> Vec<Difference> {
    let (wanted, real): (BTreeSet<_>, BTreeSet<_>) =
        (expected.lines().iter().collect(), found.lines().iter().collect());
    let mut objects: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for line in wanted.difference(&real) {
        let (object, definition) = split(line);
        objects.entry(object).or_default().0.push(definition);
    }
    for line in real.difference(&wanted) {
        let (object, definition) = split(line);
        objects.entry(object).or_default().1.push(definition);
    }
    let mut differences = Vec::new();
    for (object, (expected, found)) in objects {
        let mut say = |expected: Option<&str>, found: Option<&str>| {
            let (expected, found) = (expected.map(str::to_owned), found.map(str::to_owned));
            differences.push(Difference { object: object.to_owned(), expected, found });
        };
        match (expected.as_slice(), found.as_slice()) {
            ([expected], [found]) => say(Some(expected), Some(found)),
            // An object may have several lines, as a table has one for each right to it.
            _ => {
                expected.into_iter().for_each(|definition| say(Some(definition), None));
                found.into_iter().for_each(|definition| say(None, Some(definition)));
            }
        }
    }
    // A missing column also changes the position of those after it, which matters less.
    differences.sort_by_key(|difference| match (&difference.expected, &difference.found) {
        (_, None) => 0,
        (None, _) => 1,
        _ => 2,
    });
    differences
}

/// The differences as lines for people, without what follows from others: the parts of a missing or unexpected table, and
/// the columns that a missing or unexpected column moves.
pub(crate) fn lines_for_people(differences: &[Difference]) -> Vec<String> {
    let parts = |table: &Difference| {
        let (kind, name) = table.object.rsplit_once(' ').unwrap_or_default();
        let whole = kind.ends_with("table") || kind.ends_with("view");
        (whole && table.expected.is_some() != table.found.is_some()).then(|| name.to_owned())
    };
    let tables: Vec<String> = differences.iter().filter_map(parts).collect();
    let shifted: Vec<&str> = differences
        .iter()
        .filter(|it| it.expected.is_none() || it.found.is_none())
        .filter_map(Difference::column_of)
        .collect();
    let follows =
        |it: &Difference| it.only_moved() && it.column_of().is_some_and(|table| shifted.contains(&table));
    let mut lines: Vec<String> = differences
        .iter()
        .filter(|it| !tables.iter().any(|table| it.is_part_of(table)) && !follows(it))
        .map(ToString::to_string)
        .collect();
    if lines.len() > MOST_SHOWN {
        let more = lines.split_off(MOST_SHOWN).len();
        lines.push(format!("… and {more} more"));
    }
    lines
}

/// Splits a line of a catalogue into object and definition.
fn split(line: &str) -> (&str, &str) {
    let kind = TWO_WORDS
        .iter()
        .find(|kind| line.starts_with(**kind))
        .map_or_else(|| line.find(' ').unwrap_or(line.len()), |kind| kind.len());
    let (mut depth, mut quoted) = (0_usize, false);
    let end = line.char_indices().skip_while(|(at, _)| *at <= kind).find(|(_, c)| {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        *c == ' ' && depth == 0 && !quoted
    });
    let end = end.map_or(line.len(), |(at, _)| at);
    (&line[..end], line[end..].trim_start())
}

impl Difference {
    /// The table of a column.
    fn column_of(&self) -> Option<&str> {
        Some(self.object.strip_prefix("column ")?.rsplit_once('.')?.0)
    }

    /// Whether only the position of a column differs, with which its definition begins.
    fn only_moved(&self) -> bool {
        let rest = |definition: &Option<String>| Some(definition.as_ref()?.split_once(' ')?.1.to_owned());
        rest(&self.expected).is_some_and(|expected| Some(expected) == rest(&self.found))
    }

    /// Whether the object is a column, constraint or index of a table, or a right to it.
    fn is_part_of(&self, table: &str) -> bool {
        let name = self.object.split_once(' ').map_or("", |(_, name)| name);
        let definition = self.expected.as_deref().or(self.found.as_deref()).unwrap_or_default();
        match self.object.starts_with("index ") {
            true => definition.contains(&format!(" ON {table} ")),
            false => {
                let right = self.object.starts_with("grant ") && name == table;
                right || name.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) => {
                let (expected, found) = (shortened(expected), shortened(found));
                write!(f, "differs     {}\n    expected  {expected}\n    found     {found}", self.object)
            }
            (Some(definition), None) => {
                f.write_str(format!("missing     {} {}", self.object, shortened(definition)).trim_end())
            }
            (_, definition) => {
                let definition = shortened(definition.as_deref().unwrap_or_default());
                f.write_str(format!("unexpected  {} {definition}", self.object).trim_end())
            }
        }
    }
}

/// The first line of a definition, cut off if it is long.
fn shortened(definition: &str) -> String {
    let first = definition.lines().next().unwrap_or_default();
    let cut: String = first.chars().take(WIDTH).collect();
    if cut == definition { cut } else { format!("{cut} …") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &[&str], found: &[&str], lines: &[&str]) {
        let catalogue =
            |lines: &[&str]| Catalogue::from_lines(lines.iter().map(|line| (*line).to_owned()).collect());
        let said: Vec<String> =
            between(&catalogue(expected), &catalogue(found)).iter().map(ToString::to_string).collect();
        assert_eq!(said, lines);
    }

    #[test]
    fn an_object_in_both_differs_and_others_are_missing_or_unexpected() {
        check(
            &["column public.t.a #1 integer", "column public.t.b #2 text", "table public.t"],
            &[
                "column public.t.b #1 text",
                "index t_b_idx CREATE INDEX t_b_idx ON public.t USING btree (b)",
                "table public.t",
            ],
            &[
                "missing     column public.t.a #1 integer",
                "unexpected  index t_b_idx CREATE INDEX t_b_idx ON public.t USING btree (b)",
                "differs     column public.t.b\n    expected  #2 text\n    found     #1 text",
            ],
        );
    }

    #[test]
    fn names_may_contain_blanks() {
        check(
            &["table public.\"a b\" row security", "materialized view public.v SELECT 1"],
            &["table public.\"a b\"", "materialized view public.v SELECT 2"],
            &[
                "differs     materialized view public.v\n    expected  SELECT 1\n    found     SELECT 2",
                "differs     table public.\"a b\"\n    expected  row security\n    found     ",
            ],
        );
        check(
            &["function public.f(a integer, b text) CREATE OR REPLACE\nmore"],
            &[],
            &["missing     function public.f(a integer, b text) CREATE OR REPLACE …"],
        );
    }

    #[test]
    fn a_missing_table_is_listed_without_its_parts() {
        let lines = [
            "column public.t.a #1 integer",
            "constraint public.t.t_pkey PRIMARY KEY (a)",
            "grant public.t SELECT to public",
            "index t_pkey CREATE UNIQUE INDEX t_pkey ON public.t USING btree (a)",
            "index tt_idx CREATE INDEX tt_idx ON public.tt USING btree (a)",
            "table public.t",
        ];
        let catalogue = Catalogue::from_lines(lines.map(str::to_owned).to_vec());
        let said = lines_for_people(&between(&catalogue, &Catalogue::from_lines(Vec::new())));
        let expected = [
            "missing     index tt_idx CREATE INDEX tt_idx ON public.tt USING btree (a)",
            "missing     table public.t",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_missing_column_is_listed_without_those_that_it_moves() {
        let lines = |of: &[&str]| Catalogue::from_lines(of.iter().map(|line| (*line).to_owned()).collect());
        let whole = ["column public.t.a #1 int", "column public.t.b #2 int", "column public.t.c #3 int"];
        let without = lines(&["column public.t.b #1 int", "column public.t.c #2 text"]);
        let expected = [
            "missing     column public.t.a #1 int",
            "differs     column public.t.c\n    expected  #3 int\n    found     #2 text",
        ];
        assert_eq!(lines_for_people(&between(&lines(&whole), &without)), expected);
        // If none is missing, the positions themselves differ.
        let moved =
            lines(&["column public.t.a #2 int", "column public.t.b #1 int", "column public.t.c #3 int"]);
        assert_eq!(lines_for_people(&between(&lines(&whole), &moved)).len(), 2);
    }

    #[test]
    fn many_differences_are_cut_off_with_a_count() {
        let lines = (10..35).map(|n| format!("schema s{n}")).collect();
        let said =
            lines_for_people(&between(&Catalogue::from_lines(lines), &Catalogue::from_lines(Vec::new())));
        assert_eq!((said.len(), said[MOST_SHOWN].as_str()), (MOST_SHOWN + 1, "… and 5 more"));
    }

    #[test]
    fn rights_are_listed_one_by_one() {
        check(
            &["grant public.t SELECT to public", "grant public.t UPDATE to public"],
            &["grant public.t DELETE to public"],
            &[
                "missing     grant public.t SELECT to public",
                "missing     grant public.t UPDATE to public",
                "unexpected  grant public.t DELETE to public",
            ],
        );
    }
}
