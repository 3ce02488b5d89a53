//! Both schemas of a project: the one that its migrations make, and the one that its schema files say.

use ::tests::scratch::Scratch;
use migrations::{Project, tokens};

use crate::throwaway::{
    desired,
    owned::{Owned, Replayed},
};

/// Applies the migrations to one empty database and loads the schema files into the other: at the same time, if the files
/// do not need what the migrations made.
pub(crate) async fn make(
    project: &Project,
    migrated: &Scratch,
    loaded: &mut Scratch,
) -> anyhow::Result<(Replayed, Owned)> {
    let replay = Replayed::open(project, migrated);
    let replayed = if are_independent(project) {
        let (replayed, desired) = tokio::join!(replay, desired::load(project, None, loaded));
        let replayed = replayed?;
        if let Ok(desired) = desired {
            return Ok((replayed, desired));
        }
        // It may name a role that a migration makes. Roles belong to the server, so the role is there now.
        loaded.empty().await?;
        replayed
    } else {
        replay.await?
    };
    let desired = desired::load(project, Some(&replayed.made), loaded).await?;
    Ok((replayed, desired))
}

/// Whether each app has a schema file, and no file has code that could make a role at the same moment as a migration.
fn are_independent(project: &Project) -> bool {
    let has_code = |text: &str| tokens(text).into_iter().any(|token| text[token].eq_ignore_ascii_case("do"));
    project.schema_files.len() == project.apps.len()
        && !project.schema_files.iter().any(|file| has_code(&file.script.text))
}
