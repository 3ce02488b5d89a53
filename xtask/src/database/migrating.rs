//! Migrating with a report of every step, and reading a target from the command line.

use migrations::{Direction, Event, Project, Session, Target, sqlstate};

use crate::terminal::output::{self, Steps, count, time};

/// The target that an app and a migration's name, its prefix or `zero` stand for.
pub(crate) fn target(project: &Project, app: Option<&str>, name: Option<&str>) -> anyhow::Result<Target> {
    Ok(match (app, name) {
        (None, _) => Target::Latest,
        (Some(app), None) => Target::App(project.app(app)?.name.clone()),
        (Some(app), Some("zero")) => Target::Zero(project.app(app)?.name.clone()),
        (Some(app), Some(name)) => Target::Migration(project.migration(app, name)?.id.clone()),
    })
}

/// The migration that runs without a transaction. If it is dropped before that is done, the work was interrupted.
#[derive(Default)]
struct Outside(Option<String>);

impl Outside {
    fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Started { step } if step.script.no_transaction => {
                self.0 = Some(step.migration.id.to_string());
            }
            Event::Done { .. } => self.0 = None,
            _ => {}
        }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        if let Some(migration) = &self.0 {
            output::remark(&format!(
                "{migration} runs without a transaction, so it may be done, half done or not begun\n  run the same command \
                 again: it finds out which, and goes on from there"
            ));
        }
    }
}

/// Migrates, and reports every step.
pub(crate) async fn run(
    session: &mut Session,
    project: &Project,
    target: &Target,
    steps: &mut Steps,
) -> anyhow::Result<()> {
    let mut outside = Outside::default();
    let mut see = |event: Event<'_>| {
        outside.see(&event);
        report(steps, &event);
    };
    let ran = session.migrate(project, target, &mut see).await;
    // An error says itself what is left.
    outside.0 = None;
    let ran = ran?;
    if ran == 0 {
        let all = count(project.migrations.len(), "migration", "migrations");
        steps.done("migrate", &all, "0 pending", None);
    }
    Ok(())
}

/// Prints an event of a session.
pub(crate) fn report(steps: &mut Steps, event: &Event<'_>) {
    match event {
        Event::WaitingForLock { database, holder } => {
            let holder = holder.map_or(String::new(), |holder| format!("\n  {holder}"));
            steps.note(&format!("waiting for the migration lock of database `{database}` …{holder}"));
        }
        Event::Late { id, after } => steps.note(&format!(
            "           {id} is late: {after} is applied; `late = \"apply\"` lets it run now"
        )),
        Event::Started { step } => steps.doing("migrate", &step.migration.id.to_string()),
        Event::Done { step, elapsed } => {
            let state = match step.direction {
                Direction::Up => "applied",
                Direction::Down => "reverted",
            };
            steps.done("migrate", &step.migration.id.to_string(), state, Some(*elapsed));
        }
        Event::Retrying { subject, code, blockers, attempt, pause } => {
            let why = sqlstate::lookup(code).map_or("other sessions were in its way", |known| known.meaning);
            let blockers: String =
                blockers.iter().map(|blocker| format!("\n             {blocker}")).collect();
            steps.note(&format!(
                "           {subject} was rolled back: {why}; attempt {attempt} in {}{blockers}",
                time(*pause)
            ));
        }
        Event::FoundDone { step } => steps.note(&format!(
            "           an earlier run had done all of {}, and did not record it",
            step.migration.id
        )),
        Event::DroppedInvalidIndex { index, .. } => {
            steps.note(&format!("           dropped index {index}, which an earlier attempt left invalid"));
        }
        _ => {}
    }
}
