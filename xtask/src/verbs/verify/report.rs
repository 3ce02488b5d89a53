//! What `--format json` reports besides the steps.

use migrations::{Irreversible, Migration, Project};
use serde::Serialize;

use crate::verbs::verify::of_the_server::Changed;

/// What is wrong, a line each; empty if the proof holds.
pub(super) type Flaws = Vec<String>;

/// What the proofs found.
pub(super) struct Found {
    pub(super) flaws: Flaws,
    pub(super) of_the_server: Vec<Changed>,
}

#[derive(Serialize)]
pub(super) struct Report<'f> {
    flaws: &'f Flaws,
    irreversible: Vec<NoWayBack<'f>>,
    /// What the migrations change outside of their database.
    of_the_server: &'f [Changed],
}

/// A migration that has no way back.
#[derive(Serialize)]
struct NoWayBack<'p> {
    migration: String,
    why: &'p str,
}

impl<'f> Report<'f> {
    pub(super) fn new(project: &'f Project, found: &'f Found) -> Report<'f> {
        let no_way_back = |(migration, line): (&Migration, &'f Irreversible)| NoWayBack {
            migration: migration.id.to_string(),
            why: &line.why,
        };
        let irreversible = irreversible(project).map(no_way_back).collect();
        Report { flaws: &found.flaws, irreversible, of_the_server: &found.of_the_server }
    }
}

/// The migrations that have no way back.
pub(super) fn irreversible(project: &Project) -> impl Iterator<Item = (&Migration, &Irreversible)> {
    project.migrations.iter().filter_map(|migration| Some((migration, migration.irreversible()?)))
}
