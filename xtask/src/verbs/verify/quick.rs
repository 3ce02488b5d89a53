//! The usual case, in which everything holds: while one database goes up, another goes down.
//!
//! Both are read after each step, and the states are compared afterwards. If anything is wrong, or a migration has no way
//! back, the proofs run again one after the other, which says exactly what.

use std::time::{Duration, Instant};

use catalogue::Catalogue;
use migrations::{Error, Project, Prune, SeedMode, Session, Settings, Step, Target, schema::Reader};
use tests::scratch::Scratch;

use crate::{
    database::differences,
    verbs::verify::{direction, ground::Ground},
};

/// What was proven.
pub(super) struct Proven {
    /// The schema that the migrations make.
    pub(super) last: Catalogue,
    /// How long the way up took, with its readings.
    pub(super) up: Duration,
    /// How long the way down took.
    pub(super) down: Duration,
    /// How long the second way up took.
    pub(super) again: Duration,
}

/// Runs the proofs of the ways up and down. `None`: not all of it holds, or one migration has no way back.
pub(super) async fn prove(ground: &mut Ground<'_>, another: &Scratch) -> Option<Proven> {
    let project = ground.project;
    let (history, judged) = project.history();
    let back = way_back(project)?;
    // Each goes up, down and up again: its down must leave nothing that its up would stumble over.
    let steps: Vec<Step<'_>> = judged
        .iter()
        .zip(back.iter().rev())
        .flat_map(|(migration, down)| [Step::up(migration), *down, Step::up(migration)])
        .collect();
    let schemas = project.left_out();
    let up = async {
        let start = Instant::now();
        ground.apply(history).await?;
        let mut reader = Reader::connect(&ground.options(), &schemas).await?;
        let mut states = vec![reader.read().await?];
        let mut ran = 0;
        let walk = ground.session.run_steps(project, &steps, async |_, _| {
            ran += 1;
            if ran % 3 == 1 {
                states.push(reader.read().await?);
            }
            Ok::<(), Error>(())
        });
        walk.await?;
        reader.close().await;
        Ok((states, start.elapsed()))
    };
    let down = async {
        let mut session = Session::connect(&another.options(), Settings::default()).await?;
        session.migrate(project, &Target::Latest, &mut |_| {}).await?;
        session.seed(project, SeedMode::Write, Prune::No, &mut |_| {}).await?;
        let start = Instant::now();
        let mut reader = Reader::connect(&another.options(), &schemas).await?;
        let mut states = Vec::new();
        let walk = session.run_steps(project, &back, async |_, _| {
            states.push(reader.read().await?);
            Ok::<(), Error>(())
        });
        walk.await?;
        let (elapsed, start) = (start.elapsed(), Instant::now());
        session.migrate(project, &Target::Latest, &mut |_| {}).await?;
        let again = reader.read().await?;
        reader.close().await;
        session.close().await;
        Ok((states, again, elapsed, start.elapsed()))
    };
    let ((mut up, up_elapsed), (down, again, down_elapsed, again_elapsed)) =
        tokio::try_join!(up, down).map_err(|_: Error| ()).ok()?;

    let steps = judged.iter().zip(up.windows(2));
    let same = |expected: &Catalogue, found: &Catalogue| differences::real(expected, found).is_empty();
    let allowed = steps.clone().all(|(migration, states)| {
        direction::trespasses(project, migration, &states[0], &states[1]).is_empty()
    });
    let restored = up.iter().rev().skip(1).zip(&down).all(|(before, after)| same(before, after));
    let last = up.pop()?;
    let holds = allowed && restored && same(&last, &again);
    holds.then_some(Proven { last, up: up_elapsed, down: down_elapsed, again: again_elapsed })
}

/// The steps that revert all migrations that are not history, if each has a way back.
pub(super) fn way_back(project: &Project) -> Option<Vec<Step<'_>>> {
    let (_, judged) = project.history();
    let back: Vec<Step<'_>> = judged.iter().rev().filter_map(Step::down).collect();
    let complete = back.len() == judged.len() && !back.iter().any(|step| step.script.is_empty());
    complete.then_some(back)
}
