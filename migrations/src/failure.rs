//! A statement that Postgres refused, shown as a compiler shows an error: file, line, the text, and Postgres's message.

use std::{fmt, ops::Range};

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::{Blocker, Direction, MigrationId, Place, Remains, Script, psql, sqlstate, statements};

/// What was running.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A migration.
    Migration {
        /// Which.
        id: MigrationId,
        /// Which way it ran.
        direction: Direction,
    },
    /// The seed of an app.
    Seed {
        /// The app.
        app: String,
    },
}

/// SQLSTATE of a syntax error.
const SYNTAX_ERROR: &str = "42601";
/// SQLSTATEs of an object that exists, and of one that does not.
const DUPLICATE: &str = "42710";
const UNDEFINED: &str = "42704";
/// Lines of a statement to show if Postgres does not say which word is to blame.
const EXCERPT_LINES: usize = 3;
/// Characters of a line to show.
const EXCERPT_WIDTH: usize = 120;

/// A failed statement.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// What was running.
    pub subject: Subject,
    /// The file, and the line if Postgres gave one.
    pub place: Place,
    /// The lines to show; the first is the one at `place`.
    pub excerpt: Vec<String>,
    /// Columns of the culprit in the first line, in characters from 0.
    pub culprit: Option<Range<usize>>,
    /// Postgres's message.
    pub message: String,
    /// Its SQLSTATE: five characters.
    pub code: String,
    /// Postgres's detail.
    pub detail: Option<String>,
    /// Postgres's hint.
    pub hint: Option<String>,
    /// Where in a function it happened.
    pub context: Option<String>,
    /// The statement, if it makes or drops an object of the whole server, such as a role; also one inside of a `do` block.
    pub(crate) of_the_server: Option<String>,
    /// Migrations that ran before it in the same plan, and stay applied.
    pub kept: Vec<MigrationId>,
    /// What is left of the file's work.
    pub remains: Remains,
    /// Who held the lock that it waited for, as far as that was seen.
    pub blockers: Vec<Blocker>,
}

impl Failure {
    /// Reads Postgres's error. `completed` is how many statements of the script succeeded before it.
    pub(crate) fn new(
        subject: Subject,
        script: &Script,
        completed: usize,
        error: &PgDatabaseError,
        remains: Remains,
        kept: &[MigrationId],
    ) -> Failure {
        let text = &script.text;
        let statement = statements::split(text).nth(completed);
        let spot = match error.position() {
            // Postgres counts characters from 1.
            Some(PgErrorPosition::Original(position)) => {
                let offset = text.char_indices().nth(position - 1).map_or(text.len(), |(offset, _)| offset);
                Some(Spot::word(text, offset))
            }
            _ => statement.as_ref().map(|range| Spot::statement(text, range)),
        };
        let statement = statement.map(|range| &text[range]);
        let mut place = Place::file(&script.path);
        let (mut excerpt, mut culprit) = (Vec::new(), None);
        if let Some(spot) = spot {
            place.line = Some(spot.line);
            (excerpt, culprit) = (spot.excerpt, spot.culprit);
        }
        Failure {
            subject,
            place,
            excerpt,
            culprit,
            message: error.message().to_owned(),
            code: error.code().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
            context: error.r#where().map(str::to_owned),
            of_the_server: statement
                .into_iter()
                .chain(error.r#where().and_then(inner_statement))
                .find(|it| statements::is_of_the_server(it))
                .map(|it| it.trim_end_matches(';').to_owned()),
            kept: kept.to_vec(),
            remains,
            blockers: Vec::new(),
        }
    }
}

impl Failure {
    /// Whether the migration makes a schema, table, column, function or other object that exists.
    pub(crate) fn is_there_already(&self) -> bool {
        let up = matches!(self.subject, Subject::Migration { direction: Direction::Up, .. });
        up && self.of_the_server.is_none()
            && matches!(self.code.as_str(), "42P06" | "42P07" | "42701" | "42710" | "42723")
    }

    /// Whether the migration makes a role or another object of the whole server that exists, perhaps since another database
    /// made it, or drops one that is gone.
    pub fn is_second_run(&self) -> bool {
        let Some(statement) = &self.of_the_server else { return false };
        let code = if statements::drops(statement) { UNDEFINED } else { DUPLICATE };
        self.code == code
    }

    /// The line from the word on that Postgres could not parse.
    fn text_of_culprit(&self) -> Option<String> {
        let start = self.culprit.as_ref().filter(|_| self.code == SYNTAX_ERROR)?.start;
        Some(self.excerpt.first()?.chars().skip(start).collect())
    }

    /// How to write a statement on the whole server, which an earlier database on it has run already.
    fn safe_twice(&self) -> String {
        let statement = self.of_the_server.as_deref().unwrap_or_default();
        let (done, accepted) = match statements::drops(statement) {
            true => ("dropped", "undefined_object"),
            false => ("made", "duplicate_object"),
        };
        let what =
            format!("it belongs to the whole server, where another database may have {done} it before");
        if statements::is_tablespace(statement) {
            return format!("{what}; make it there by hand, and not in a migration");
        }
        format!(
            "{what}; make it safe to run twice: do $$ begin {statement}; exception when {accepted} then null; end $$;"
        )
    }

    /// What to do: the file is to blame, unless the error has a cause of its own.
    fn remedy(&self) -> String {
        if let Some(known) = sqlstate::lookup(&self.code) {
            return format!("{}; {}", known.meaning, known.help);
        }
        if let Some(psql) = self.text_of_culprit().and_then(|text| psql::at(&text)) {
            return psql;
        }
        let remedy = match (self.code.as_str(), &self.subject) {
            ("25001", _) => {
                "make `-- no-transaction` the very first line of the file, and this its only statement"
            }
            _ if self.is_second_run() => return self.safe_twice(),
            _ if self.is_there_already() => {
                "if the database has all that the migration makes, record it as applied; otherwise fix the file and run \
                 the same command again"
            }
            (_, Subject::Migration { .. }) if self.remains != Remains::Nothing => {
                "fix the file, or the rows that it meets, and run the same command again"
            }
            (_, Subject::Migration { .. }) => "fix the file and run the same command again",
            (_, Subject::Seed { .. }) => {
                "fix the file, or the rows that it meets, and run the same command again"
            }
        };
        remedy.to_owned()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Migration { id, direction: Direction::Up } => write!(f, "migration {id}"),
            Subject::Migration { id, direction: Direction::Down } => write!(f, "the way back of {id}"),
            Subject::Seed { app } => write!(f, "seed of app `{app}`"),
        }
    }
}

/// The statement in a context such as `SQL statement "create role a"`, whose words may be in any language.
fn inner_statement(context: &str) -> Option<&str> {
    let line = context.lines().next()?;
    line.get(line.find('"')? + 1..line.rfind('"')?)
}

/// A place in a script, ready to show.
struct Spot {
    line: usize,
    excerpt: Vec<String>,
    culprit: Option<Range<usize>>,
}

impl Spot {
    /// The word at an offset, in its line.
    fn word(text: &str, offset: usize) -> Spot {
        let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
        let word = text[offset..end].chars().take_while(|c| statements::is_word(*c)).count().max(1);
        // A generated line may hold a whole table's rows, so only the neighbourhood of the word is shown.
        let before: Vec<char> = untabbed(&text[start..offset]).chars().collect();
        let cut = before.len().saturating_sub(EXCERPT_WIDTH / 2);
        let ellipsis = if cut > 0 { "…" } else { "" };
        let column = before.len() - cut + ellipsis.chars().count();
        let before: String = before[cut..].iter().collect();
        let line = shortened(&format!("{ellipsis}{before}{}", untabbed(&text[offset..end])));
        let culprit = Some(column..column + word);
        Spot { line: statements::line_at(text, offset), excerpt: vec![line], culprit }
    }

    /// The first lines of a statement.
    fn statement(text: &str, range: &Range<usize>) -> Spot {
        let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        // To the end of its last line: people recognize whole lines.
        let end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at);
        let lines = text[start..end].lines().take(EXCERPT_LINES);
        let excerpt = lines.map(|line| shortened(&untabbed(line))).collect();
        Spot { line: statements::line_at(text, range.start), excerpt, culprit: None }
    }
}

/// Replaces tabs, whose width depends on the terminal, so that the mark under the text is in the right column. Other
/// control characters become pictures, so that the terminal does not obey them.
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
        write!(f, "{} failed{}", self.subject, self.remains)?;

        let gutter = self.place.line.map_or(0, |line| (line + self.excerpt.len()).to_string().len());
        write!(f, "\n  {:gutter$}┌ {}", "", self.place)?;
        for (index, text) in self.excerpt.iter().enumerate() {
            let number = self.place.line.map_or(0, |line| line + index);
            write!(f, "\n  {number:gutter$}│ {text}")?;
        }
        let message = format!("{} ({})", self.message, self.code);
        match &self.culprit {
            Some(columns) => {
                let (column, mark) = (columns.start, "^".repeat(columns.len()));
                write!(f, "\n  {:gutter$}│ {:column$}{mark} {message}", "", "")?;
            }
            None => write!(f, "\n  {:gutter$}└ {message}", "")?,
        }
        for (name, text) in [("detail", &self.detail), ("hint", &self.hint), ("in", &self.context)] {
            if let Some(text) = text {
                write!(f, "\n  {name}: {}", text.replace('\n', "\n    "))?;
            }
        }
        if !self.kept.is_empty() {
            let kept: Vec<String> = self.kept.iter().map(ToString::to_string).collect();
            write!(f, "\n  applied before it and kept: {}", kept.join(", "))?;
        }
        for blocker in &self.blockers {
            write!(f, "\n  {blocker}")?;
        }
        write!(f, "\n  {}", self.remedy())
    }
}
