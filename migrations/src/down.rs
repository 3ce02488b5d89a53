//! The way back of a migration, which not every one has.

use crate::{Place, Problem, Script, statements};

/// A line in a migration's file that says that there is no way back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Irreversible {
    /// Why.
    pub why: String,
    /// The line.
    pub place: Place,
}

/// How a migration is reverted.
#[derive(Debug, Clone)]
pub enum Down {
    /// By this file.
    Script(Script),
    /// Not at all.
    Irreversible(Irreversible),
}

impl Irreversible {
    /// The beginning of such a line; the reason follows it.
    pub const DIRECTIVE: &str = "-- irreversible:";
}

/// A down file.
pub(crate) struct DownFile {
    pub(crate) script: Script,
    /// The line in its head.
    pub(crate) irreversible: Option<Irreversible>,
}

/// Combines the line in the head of the up file with the down file, if there is one.
///
/// The down file may hold the line too: databases may have recorded the up file, which must not change any more.
pub(crate) fn resolve(
    up: &Script,
    irreversible: Option<Irreversible>,
    down: Option<DownFile>,
    problems: &mut Vec<Problem>,
) -> Down {
    let (script, of_down) = down.map_or((None, None), |file| (Some(file.script), file.irreversible));
    match (irreversible.or(of_down), script) {
        (Some(line), script) => {
            if let Some(statement) = script.as_ref().and_then(first_statement) {
                problems.push(Problem::Contradiction { place: line.place.clone(), statement });
            }
            Down::Irreversible(line)
        }
        (None, Some(script)) => Down::Script(script),
        (None, None) => {
            let path = up.path.replace(".up.sql", ".down.sql");
            let missing = path.rsplit('/').next().unwrap_or_default().to_owned();
            problems.push(Problem::HalfPair { place: Place::file(&up.path), missing });
            // The number is taken all the same, so no error says that it is missing.
            Down::Script(Script { path, text: String::new(), no_transaction: false })
        }
    }
}

fn first_statement(script: &Script) -> Option<Place> {
    let first = statements::split(&script.text).next()?;
    Some(Place::line(&script.path, statements::line_at(&script.text, first.start)))
}
