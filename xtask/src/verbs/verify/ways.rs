//! Runs each migration both ways, and compares the schema before and after.

use std::collections::BTreeSet;

use catalogue::Catalogue;
use migrations::{Down, Migration};

use crate::{
    database::differences::{self, MADE, REVERTED},
    terminal::output::Steps,
    verbs::verify::{
        direction::{self, Trespass},
        ground::{Ground, Ran, ran},
    },
};

/// What the way up found.
#[derive(Default)]
pub(super) struct WayUp {
    /// How many migrations are not judged.
    history: usize,
    /// The catalogue before each of the others, and the last one.
    pub(super) before: Vec<Catalogue>,
    /// What was done to tables that an app may not touch.
    pub(super) trespasses: Vec<Trespass>,
    /// The flaws of down files.
    pub(super) downs: Vec<String>,
    /// The flaws of up files that ran again after their down.
    pub(super) again: Vec<String>,
    /// The positions of the migrations that the way down stops at, because their down is missing or wrong.
    pub(super) stops: BTreeSet<usize>,
}

/// How far the way down came.
pub(super) struct WayDown {
    /// The migration at which it stopped.
    pub(super) stopped_at: Option<usize>,
    /// What is wrong with its down file, if that is only known now.
    pub(super) flaws: Vec<String>,
}

/// Whether a migration has a down file that does anything.
pub(super) fn goes_back(migration: &Migration) -> bool {
    matches!(&migration.down, Down::Script(script) if !script.is_empty())
}

impl WayUp {
    /// Applies the migrations one by one. Reverts each that has a way back, and applies it again. What has gone wrong is in
    /// `self` even if it ends with an error.
    ///
    /// After a wrong down the database is built again, so each migration is judged by itself.
    pub(super) async fn walk(&mut self, ground: &mut Ground<'_>, steps: &mut Steps) -> anyhow::Result<()> {
        let project = ground.project;
        let (history, judged) = project.history();
        self.history = history.len();
        ground.apply(history).await?;
        let mut before = ground.catalogue().await?;
        for (index, migration) in (history.len()..).zip(judged) {
            steps.doing_part("proof", &format!("up {}", migration.id), index, project.migrations.len());
            ground.up(migration).await?;
            let after = ground.catalogue().await?;
            self.trespasses.extend(direction::trespasses(project, migration, &before, &after));
            if !goes_back(migration) {
                self.stops.insert(index);
            } else if !self.back_and_again(ground, migration, &before, &after).await? {
                self.stops.insert(index);
                ground.rebuild(&project.migrations[..=index]).await?;
            }
            self.before.push(before);
            before = after;
        }
        self.before.push(before);
        Ok(())
    }

    /// Reverts a migration and applies it again. Returns whether both worked.
    async fn back_and_again(
        &mut self,
        ground: &mut Ground<'_>,
        migration: &Migration,
        before: &Catalogue,
        after: &Catalogue,
    ) -> anyhow::Result<bool> {
        if let Some(flaw) = revert(ground, migration, before).await? {
            self.downs.extend(flaw);
            return Ok(false);
        }
        match ran(ground.up(migration).await)? {
            Ran::Failed(error) => {
                self.again.push(format!("{} can't be applied again after its down:", migration.id));
                self.again.extend(indented(error));
                return Ok(false);
            }
            Ran::Well => {}
        }
        let differences = differences::real_lines(after, &ground.catalogue().await?, MADE);
        if differences.is_empty() {
            return Ok(true);
        }
        self.again
            .push(format!("{} makes something else when it is applied again after its down:", migration.id));
        self.again.extend(indented(differences));
        Ok(false)
    }
}

impl WayDown {
    /// Reverts the migrations one by one, with the seeds in the tables, and compares the catalogue with the one before each.
    /// It stops before the first whose down is missing or wrong, since those below it need that.
    ///
    /// Step by step, because in a single run to zero one step's mistake can hide another's.
    pub(super) async fn walk(
        ground: &mut Ground<'_>,
        up: &WayUp,
        steps: &mut Steps,
    ) -> anyhow::Result<WayDown> {
        let project = ground.project;
        let all = project.migrations.len();
        for (index, migration) in project.migrations.iter().enumerate().skip(up.history).rev() {
            if up.stops.contains(&index) {
                return Ok(WayDown { stopped_at: Some(index), flaws: Vec::new() });
            }
            steps.doing_part("proof", &format!("down {}", migration.id), all - 1 - index, all);
            if let Some(flaws) = revert(ground, migration, &up.before[index - up.history]).await? {
                return Ok(WayDown { stopped_at: Some(index), flaws });
            }
        }
        Ok(WayDown { stopped_at: None, flaws: Vec::new() })
    }
}

/// Reverts a migration. Returns what is wrong with that, if anything is.
async fn revert(
    ground: &mut Ground<'_>,
    migration: &Migration,
    before: &Catalogue,
) -> anyhow::Result<Option<Vec<String>>> {
    if let Ran::Failed(error) = ran(ground.down(migration).await)? {
        return Ok(Some(error));
    }
    let left = differences::real_lines(before, &ground.catalogue().await?, REVERTED);
    if left.is_empty() {
        return Ok(None);
    }
    let mut flaws = vec![format!("the down of {} does not give back what was before its up:", migration.id)];
    flaws.extend(indented(left));
    Ok(Some(flaws))
}

fn indented(lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(|line| format!("  {line}"))
}
