//! The names of migration files, as sqlx reads them, and how an app's new files are named.

use sqlx::migrate::MigrationType;

use crate::{
    App,
    id::{number_of, words_of},
};

/// The ending of a down file.
pub(crate) const DOWN: &str = ".down.sql";
/// The ending of an up file that is meant to have a down file.
const UP: &str = ".up.sql";
/// The ending of an up file that sqlx expects no down file for.
const PLAIN: &str = ".sql";
/// The digits of a number in an app that has no files yet.
const DIGITS: usize = 4;
/// A number from here on is a date or a time: no app has so many migrations.
const FIRST_TIME: i64 = 10_000_000;

/// What the name of a migration's file says, read as sqlx reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileName<'n> {
    /// sqlx's version.
    pub number: i64,
    /// The name without its ending: `0001_initial`.
    pub stem: &'n str,
    /// `.up.sql`, `.down.sql` or `.sql`.
    pub ending: &'static str,
}

impl<'n> FileName<'n> {
    /// Reads a name; `None` if sqlx ignores such a file or fails on it.
    pub fn parse(name: &'n str) -> Option<FileName<'n>> {
        let (_, words) = name.split_once('_')?;
        let ending = MigrationType::from_filename(words).suffix();
        words.strip_suffix(ending)?;
        let stem = name.strip_suffix(ending)?;
        Some(FileName { number: number_of(stem)?, stem, ending })
    }

    /// Whether it is the way back of a migration.
    pub fn is_down(&self) -> bool {
        self.ending == DOWN
    }

    /// The number as the name has it: `0001`.
    pub(crate) fn digits(&self) -> &'n str {
        self.stem.split('_').next().unwrap_or_default()
    }

    /// sqlx's description: what follows the number, with spaces.
    pub(crate) fn description(&self) -> String {
        words_of(self.stem).trim_end_matches(self.ending).replace('_', " ")
    }

    pub(crate) fn kind(&self) -> MigrationType {
        MigrationType::from_filename(self.ending)
    }
}

/// How the migrations of an app are named. New ones follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Naming {
    /// The digits to which zeros fill a number up.
    pub digits: usize,
    /// The highest number so far.
    pub last: Option<i64>,
    /// The ending of a new up file: `.up.sql` or `.sql`.
    pub up: &'static str,
    /// The ending of a new down file, if the app has ways back.
    pub down: Option<&'static str>,
}

impl Naming {
    /// Finds out from the files that an app has.
    pub(crate) fn new(app: &App, files: &[FileName<'_>]) -> Naming {
        let padded =
            files.iter().map(FileName::digits).filter(|digits| digits.starts_with('0')).map(str::len).max();
        let ups = files.iter().filter(|file| !file.is_down());
        let last = ups.max_by_key(|file| file.number);
        let has_down =
            last.is_some_and(|last| files.iter().any(|it| it.is_down() && it.number == last.number));
        let up = match last {
            None if !app.reversible => PLAIN,
            Some(last) if !app.reversible || has_down => last.ending,
            _ => UP,
        };
        Naming {
            digits: padded.unwrap_or(if files.is_empty() { DIGITS } else { 1 }),
            last: last.map(|last| last.number),
            up,
            down: app.reversible.then_some(DOWN),
        }
    }

    /// Whether its numbers are dates or times.
    pub fn counts_time(&self) -> bool {
        self.last.is_some_and(|last| last >= FIRST_TIME)
    }

    /// The number of the next migration. `now` is the time in UTC, as `20240301120000`; it counts where numbers are times.
    pub fn next(&self, now: &str) -> i64 {
        let Some(last) = self.last else { return 1 };
        // As many digits as the others have: of a date, of minutes, or of less than seconds.
        let length = last.to_string().len();
        let now = format!("{now:0<length$}");
        let now: Option<i64> = now.get(..length).and_then(|now| now.parse().ok());
        now.filter(|_| self.counts_time()).unwrap_or_default().max(last + 1)
    }

    /// A migration's name.
    pub fn name(&self, number: i64, words: &str) -> String {
        format!("{number:0digits$}_{words}", digits = self.digits)
    }

    /// The name that a file which sqlx ignores or fails on is probably meant to have.
    pub(crate) fn meant(&self, name: &str) -> String {
        let lower = name.trim_start_matches('.').to_lowercase();
        let stem = lower.split_once(".sql").map_or(&*lower, |(stem, _)| stem);
        let (stem, ending) = match (stem.strip_suffix(".down"), stem.strip_suffix(".up")) {
            (Some(stem), _) => (stem, DOWN),
            (_, Some(stem)) => (stem, UP),
            _ => (stem, self.up),
        };
        let words = stem.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = stem[..stem.len() - words.len()].parse().ok();
        let number = number.filter(|&number| number > 0 && (self.counts_time() || number < FIRST_TIME));
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { ' ' };
        let plain: String = words.chars().map(plain).collect();
        let words = plain.split_whitespace().collect::<Vec<_>>().join("_");
        let words = if words.is_empty() { "name" } else { &words };
        self.name(number.unwrap_or_else(|| self.next("")), words) + ending
    }
}

/// Whether a name follows the rules of a folder that is numbered 0001, 0002, …
pub(crate) fn is_strict(stem: &str) -> bool {
    let (digits, words) = stem.split_once('_').unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    has_four_digits(digits) && digits != "0000" && !words.is_empty() && words.chars().all(plain)
}

/// Whether a folder whose first migration has this name is numbered 0001, 0002, …
pub(crate) fn begins_strictly(stem: &str) -> bool {
    stem.starts_with("0001_")
}

fn has_four_digits(digits: &str) -> bool {
    digits.len() == DIGITS && digits.chars().all(|c| c.is_ascii_digit())
}
