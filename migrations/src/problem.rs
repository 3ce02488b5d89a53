//! What is wrong in the files of a project: where, what, and the remedy last.

use std::mem;

use crate::{MigrationId, Place};

/// One thing wrong in the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The manifest is missing or wrong.
    #[error("{place}: {message}")]
    Manifest {
        /// File and line.
        place: Place,
        /// What is wrong, and the remedy.
        message: String,
    },
    /// An app's `sqlx.toml` is missing or wrong.
    #[error("{place}: {message}")]
    SqlxToml {
        /// The file.
        place: Place,
        /// What is wrong, and the remedy.
        message: String,
    },
    /// The manifest names an app that has no folder.
    #[error("{manifest}: app `{app}` has no folder; create {folder} or remove the entry")]
    NoFolder {
        /// The manifest.
        manifest: Place,
        /// The app.
        app: String,
        /// The folder that is missing.
        folder: String,
    },
    /// A folder without an entry in the manifest.
    #[error("{folder}: no app of that name in {manifest}; add an [[app]] entry or remove the folder")]
    NoEntry {
        /// The folder.
        folder: String,
        /// The manifest.
        manifest: Place,
    },
    /// A file that sqlx would ignore or fail on.
    #[error("{place}: sqlx would ignore it or fail on it; {remedy}")]
    Name {
        /// The file.
        place: Place,
        /// What to do.
        remedy: String,
    },
    /// A name that sqlx reads, in a folder whose names have stricter rules.
    #[error(
        "{place}: this folder numbers its files 0001, 0002, …, with names in lower case; rename it to {name}{HISTORY}"
    )]
    Unlike {
        /// The file.
        place: Place,
        /// The name that follows the rules.
        name: String,
    },
    /// An up without a down, or the reverse.
    #[error("{place}: has no {missing} beside it; add that file{}", instead_of(missing))]
    HalfPair {
        /// The file that is there.
        place: Place,
        /// The name of the missing one.
        missing: String,
    },
    /// A line says that there is no way back, and the down file has a statement.
    #[error(
        "{place}: says that there is no way back, but {statement} has a statement that goes back; keep one of the two"
    )]
    Contradiction {
        /// The line.
        place: Place,
        /// The first statement of the down file.
        statement: Place,
    },
    /// Two migrations of one app with one number.
    #[error(
        "{place}: number {number} is taken by {other}; give the one that is not on the main branch another number"
    )]
    DuplicateNumber {
        /// The later file.
        place: Place,
        /// The number, as the file's name has it.
        number: String,
        /// The earlier file.
        other: String,
    },
    /// A number is missing.
    #[error("{place}: follows {previous:04}, so its number should be {:04}; renumber it, or restore the missing file{HISTORY}", previous + 1)]
    Gap {
        /// The file after the gap.
        place: Place,
        /// The number before the gap; 0 at the start.
        previous: i64,
    },
    /// A directive in a file's head is wrong.
    #[error("{place}: {message}")]
    Head {
        /// File and line.
        place: Place,
        /// What is wrong, and the remedy.
        message: String,
    },
    /// A head names a migration that does not exist.
    #[error("{place}: depends on {wanted}, which does not exist{}", hint.as_ref().map_or(String::new(), |id| format!("; did you mean {id}?")))]
    UnknownDependency {
        /// File and line.
        place: Place,
        /// The name in the head.
        wanted: MigrationId,
        /// The one that exists and has the most similar name.
        hint: Option<MigrationId>,
    },
    /// A head names an app that the manifest does not let this app depend on.
    #[error("{place}: {app} may not depend on {wanted}: `depends-on` of `{app}` in {manifest} does not list `{}`; list it there, or move this migration to `{}`", wanted.app, wanted.app)]
    Direction {
        /// File and line.
        place: Place,
        /// The app whose file it is.
        app: String,
        /// The migration in the head.
        wanted: MigrationId,
        /// The manifest.
        manifest: Place,
    },
    /// A file has SQL that the runner can't run safely.
    #[error("{place}: {message}")]
    Content {
        /// File and line.
        place: Place,
        /// What is wrong, and the remedy.
        message: String,
    },
}

/// How many problems of one kind are shown.
const SHOWN: usize = 3;

impl Problem {
    /// The file of a problem that a whole folder may have.
    fn of_folder(&self) -> Option<&Place> {
        match self {
            Problem::Name { place, .. }
            | Problem::Unlike { place, .. }
            | Problem::HalfPair { place, .. }
            | Problem::DuplicateNumber { place, .. }
            | Problem::Gap { place, .. } => Some(place),
            _ => None,
        }
    }

    fn is_like(&self, other: &Problem) -> bool {
        let folder = |problem: &Problem| {
            let (folder, _) = problem.of_folder()?.path.rsplit_once('/')?;
            Some(folder.to_owned())
        };
        mem::discriminant(self) == mem::discriminant(other)
            && folder(self).is_some_and(|it| Some(it) == folder(other))
    }
}

/// The problems, a text for each. Where many of one kind are in one folder, the first ones, and how many follow.
pub(crate) fn grouped(problems: &[Problem]) -> Vec<String> {
    let mut texts = Vec::new();
    for (index, problem) in problems.iter().enumerate() {
        let before = problems[..index].iter().filter(|other| other.is_like(problem)).count();
        match before {
            0..SHOWN => texts.push(problem.to_string()),
            SHOWN => {
                let more = problems[index..].iter().filter(|other| other.is_like(problem)).count();
                texts.push(format!("… and {more} more like this in the same folder"));
            }
            _ => {}
        }
    }
    texts
}

/// What helps if databases have applied the files unchanged.
const HISTORY: &str =
    " (if databases have applied it, name the last one that they have as the app's `baseline` in apps.toml)";

/// What a missing file may hold instead of statements.
fn instead_of(missing: &str) -> &'static str {
    if missing.ends_with(".down.sql") {
        " (if there is no way back, all that it holds is a line `-- irreversible: why`; if the app has none at all, write \
         `reversible = false` in apps.toml)"
    } else {
        ", or remove this one"
    }
}
