//! A statement that Postgres refused, shown as a compiler shows an error: file, line, the text, and Postgres's own words.

use std::fmt;

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
        let (start, culprit) = match error.position() {
            // Postgres counts characters from 1.
            Some(PgErrorPosition::Original(position)) => {
                let offset = text.char_indices().nth(position - 1).map_or(text.len(), |(offset, _)| offset);
                (Some(offset), true)
            }
            _ => (statements::split(text).get(completed).map(|range| range.start), false),
        };
        let mut place = Place::file(&script.path);
        let mut excerpt = Vec::new();
        let mut marked = None;
        if let Some(offset) = start {
            let line = statements::line_at(text, offset);
            let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
            place.line = Some(line);
            let statement = statements::split(text).into_iter().find(|range| range.end > offset);
            let end = match statement {
                Some(range) if !culprit => range.end,
                _ => offset,
            };
            // To the end of the line in either case: people know their lines.
            let end = text[end..].find('\n').map_or(text.len(), |at| end + at);
            excerpt = text[line_start..end].lines().take(EXCERPT_LINES).map(str::to_owned).collect();
            if culprit {
                let word = text[offset..].chars().take_while(|c| statements::is_word(*c)).count();
                marked = Some((text[line_start..offset].chars().count(), word.max(1)));
            }
        }
        let notes = [("detail", error.detail()), ("hint", error.hint()), ("in", error.r#where())];
        Failure {
            subject,
            place,
            excerpt,
            culprit: marked,
            message: error.message().to_owned(),
            code: error.code().to_owned(),
            notes: notes.into_iter().filter_map(|(name, text)| Some((name, text?.to_owned()))).collect(),
            kept: kept.to_vec(),
            kept_in_part: script.no_transaction,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Migration(id, Direction::Up) => write!(f, "migration {id} failed")?,
            Subject::Migration(id, Direction::Down) => write!(f, "the way back of {id} failed")?,
            Subject::Seed(app) => write!(f, "seed of app `{app}` failed")?,
        }
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
        f.write_str(match &self.subject {
            Subject::Migration(..) => "\n  fix the file and run the same command again",
            Subject::Seed(_) => "\n  fix the file, or the rows that it meets, and run the same command again",
        })
    }
}
