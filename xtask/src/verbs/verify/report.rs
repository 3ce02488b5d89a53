//! What `--format json` reports besides the steps.

use migrations::{Irreversible, Migration, MigrationId, Project};
use serde::Serialize;

use crate::{terminal::output::count, verbs::verify::of_the_server::Changed};

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

/// A line that lists the migrations that have no way back. Where several of an app have one reason, it counts them.
pub(super) fn without_way_back(project: &Project) -> Option<String> {
    let mut reasons: Vec<(&str, &str, Vec<&MigrationId>)> = Vec::new();
    for (migration, line) in irreversible(project) {
        let (id, why) = (&migration.id, line.why.as_str());
        match reasons.iter_mut().find(|(app, reason, _)| *app == id.app && *reason == why) {
            Some((_, _, ids)) => ids.push(id),
            None => reasons.push((&id.app, why, vec![id])),
        }
    }
    let total: usize = reasons.iter().map(|(_, _, ids)| ids.len()).sum();
    let listed = reasons.into_iter().map(|(app, why, ids)| match *ids {
        [id] => format!("{id} ({why})"),
        _ => format!("{} of `{app}` ({why})", ids.len()),
    });
    let listed: Vec<String> = listed.collect();
    let have = count(total, "migration has", "migrations have");
    (total > 0).then(|| format!("           {have} no way back: {}", listed.join(", ")))
}

/// The migrations that have no way back.
fn irreversible(project: &Project) -> impl Iterator<Item = (&Migration, &Irreversible)> {
    project.migrations.iter().filter_map(|migration| Some((migration, migration.irreversible()?)))
}
