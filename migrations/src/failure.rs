//! A statement that Postgres refused, shown as a compiler shows an error: file, line, the text, and Postgres's own words.

use std::{fmt, ops::Range};

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::{MigrationId, Place, Script, plan::Direction, statements};

/// What was running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A migration, and which way it went.
    Migration(MigrationId, Direction),
    /// The seed of an app.
    Seed(String),
}

/// Lines of a statement that are shown where Postgres does not say which word is to blame.
const EXCERPT_LINES: usize = 3;
/// Characters of a line that are shown.
const EXCERPT_WIDTH: usize = 120;

/// A failed statement. Nothing of what its file did was kept, except where `kept_in_part` says otherwise.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What was running.
    pub subject: Subject,
    /// File, and line where that is known.
    pub place: Place,
    /// The lines to show, the first of them being the one at `place`.
    pub excerpt: Vec<String>,
    /// Column and width of the culprit in the first line, in characters from 0.
    pub culprit: Option<(usize, usize)>,
    /// Postgres's message.
    pub message: String,
    /// Its SQLSTATE: five characters.
    pub code: String,
    /// Its detail, hint and context, each as it came.
    pub notes: Vec<(&'static str, String)>,
    /// Migrations that ran before it in the same plan, and stay.
    pub kept: Vec<MigrationId>,
    /// Whether the file runs without a transaction, so that something of it may remain.
    pub kept_in_part: bool,
}

impl Failure {
    /// Reads Postgres's error. `completed` is how many statements of the script went well before it.
    pub(crate) fn new(
        subject: Subject,
        script: &Script,
        completed: usize,
        error: &PgDatabaseError,
        kept: &[MigrationId],
    ) -> Failure {
        let text = &script.text;
        let spot = match error.position() {
            // Postgres counts characters from 1.
            Some(PgErrorPosition::Original(position)) => {
                let offset = text.char_indices().nth(position - 1).map_or(text.len(), |(offset, _)| offset);
                Some(Spot::word(text, offset))
            }
            _ => statements::split(text).get(completed).map(|range| Spot::statement(text, range)),
        };
        let mut place = Place::file(&script.path);
        let (mut excerpt, mut culprit) = (Vec::new(), None);
        if let Some(spot) = spot {
            place.line = Some(spot.line);
            (excerpt, culprit) = (spot.excerpt, spot.culprit);
        }
        let notes = [("detail", error.detail()), ("hint", error.hint()), ("in", error.r#where())];
        Failure {
            subject,
            place,
            excerpt,
            culprit,
            message: error.message().to_owned(),
            code: error.code().to_owned(),
            notes: notes.into_iter().filter_map(|(name, text)| Some((name, text?.to_owned()))).collect(),
            kept: kept.to_vec(),
            kept_in_part: script.no_transaction,
        }
    }
}

impl Failure {
    /// What helps: mostly the file is to blame, but not always.
    fn remedy(&self) -> &'static str {
        match (self.code.as_str(), &self.subject) {
            ("55P03", _) => {
                "another session holds a lock that it needs; run the same command again when that one is done"
            }
            ("57014", _) => {
                "it took longer than the statement timeout allows; raise that, or make it quicker"
            }
            ("57P01", _) => "somebody ended the session; run the same command again",
            ("42501", _) => "give the role that right, and run the same command again",
            ("25001", _) => {
                "make `-- no-transaction` the very first line of the file, and this its only statement"
            }
            // A schema, table, column, function, or any other object of that name.
            ("42P06" | "42P07" | "42701" | "42710" | "42723", Subject::Migration(_, Direction::Up)) => {
                "where all of the migration is there already, record it: cargo xtask adopt; else fix the file and run \
                 the same command again"
            }
            (_, Subject::Migration(..)) => "fix the file and run the same command again",
            (_, Subject::Seed(_)) => {
                "fix the file, or the rows that it meets, and run the same command again"
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Migration(id, Direction::Up) => write!(f, "migration {id}"),
            Subject::Migration(id, Direction::Down) => write!(f, "the way back of {id}"),
            Subject::Seed(app) => write!(f, "seed of app `{app}`"),
        }
    }
}

/// A place in a script, as it is shown.
struct Spot {
    line: usize,
    excerpt: Vec<String>,
    culprit: Option<(usize, usize)>,
}

impl Spot {
    /// The word at an offset, and the line that it stands in.
    fn word(text: &str, offset: usize) -> Spot {
        let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
        let word = text[offset..end].chars().take_while(|c| statements::is_word(*c)).count().max(1);
        // A generated line may hold a whole table's rows: only the neighbourhood of the word is shown.
        let before: Vec<char> = untabbed(&text[start..offset]).chars().collect();
        let cut = before.len().saturating_sub(EXCERPT_WIDTH / 2);
        let ellipsis = if cut > 0 { "…" } else { "" };
        let column = before.len() - cut + ellipsis.chars().count();
        let before: String = before[cut..].iter().collect();
        let line = shortened(&format!("{ellipsis}{before}{}", untabbed(&text[offset..end])));
        Spot { line: statements::line_at(text, offset), excerpt: vec![line], culprit: Some((column, word)) }
    }

    /// The first lines of a statement.
    fn statement(text: &str, range: &Range<usize>) -> Spot {
        let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        // To the end of its last line: people know their lines.
        let end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at);
        let lines = text[start..end].lines().take(EXCERPT_LINES);
        let excerpt = lines.map(|line| shortened(&untabbed(line))).collect();
        Spot { line: statements::line_at(text, range.start), excerpt, culprit: None }
    }
}

/// A tab is as wide as the terminal likes, and what is put under the text must not depend on that. Other control
/// characters are for looking at, not for the terminal to obey.
fn untabbed(text: &str) -> String {
    let picture = |c: char| match c {
        c if u32::from(c) < 0x20 => char::from_u32(0x2400 + u32::from(c)).unwrap_or('�'),
        c => c,
    };
    text.replace('\t', "    ").replace('\r', "").chars().map(picture).collect()
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(EXCERPT_WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.subject)?;
        f.write_str(if self.kept_in_part {
            "; it runs without a transaction, so look at what it left"
        } else {
            "; nothing of it was kept"
        })?;

        let gutter = self.place.line.map_or(0, |line| (line + self.excerpt.len()).to_string().len());
        write!(f, "\n  {:gutter$}┌ {}", "", self.place)?;
        for (index, text) in self.excerpt.iter().enumerate() {
            let number = self.place.line.map_or(0, |line| line + index);
            write!(f, "\n  {number:gutter$}│ {text}")?;
        }
        let message = format!("{} ({})", self.message, self.code);
        match self.culprit {
            Some((column, width)) => {
                write!(f, "\n  {:gutter$}│ {:column$}{} {message}", "", "", "^".repeat(width))?;
            }
            None => write!(f, "\n  {:gutter$}└ {message}", "")?,
        }
        for (name, text) in &self.notes {
            write!(f, "\n  {name}: {}", text.replace('\n', "\n    "))?;
        }
        if !self.kept.is_empty() {
            let kept: Vec<String> = self.kept.iter().map(ToString::to_string).collect();
            write!(f, "\n  applied before it and kept: {}", kept.join(", "))?;
        }
        write!(f, "\n  {}", self.remedy())
    }
}
