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

impl Down {
    /// The down file, if it goes back.
    pub fn script(&self) -> Option<&Script> {
        match self {
            Down::Script(script) => Some(script),
            Down::Irreversible(_) => None,
        }
    }
}

/// Combines the line in the head of the up file with the down file, if there is one. Returns `None` if there is neither.
///
/// The down file may hold the line too: databases may have recorded the up file, which must not change any more.
pub(crate) fn resolve(
    irreversible: Option<Irreversible>,
    down: Option<DownFile>,
    problems: &mut Vec<Problem>,
) -> Option<Down> {
    let (script, of_down) = down.map_or((None, None), |file| (Some(file.script), file.irreversible));
    match (irreversible.or(of_down), script) {
        (Some(line), script) => {
            if let Some(statement) = script.as_ref().and_then(first_statement) {
                problems.push(Problem::Contradiction { place: line.place.clone(), statement });
            }
            Some(Down::Irreversible(line))
        }
        (None, script) => script.map(Down::Script),
    }
}

fn first_statement(script: &Script) -> Option<Place> {
    let first = statements::split(&script.text).next()?;
    Some(Place::line(&script.path, statements::line_at(&script.text, first.start)))
}
