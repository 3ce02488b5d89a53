//! The names of new migrations, which follow those that their app has.

use anyhow::{Context, ensure};
use duct::cmd;
use migrations::{App, MigrationId, Project};

/// The highest number of four digits.
const LAST: i64 = 9999;

/// The name of an app's next migration, after `drafts` others that are not written yet.
pub(super) fn next(project: &Project, app: &App, drafts: usize, words: &str) -> anyhow::Result<MigrationId> {
    let naming = project.naming(app);
    let now = if naming.counts_time() { now()? } else { String::new() };
    let number = naming.next(&now) + i64::try_from(drafts)?;
    let four_digits = naming.digits == 4 && naming.last.is_none_or(|last| last <= LAST);
    ensure!(!four_digits || number <= LAST, "app `{}` has used all numbers up to {LAST}", app.name);
    Ok(MigrationId { app: app.name.clone(), name: naming.name(number, words) })
}

/// The time in UTC, as sqlx-cli writes it into a name: `20240301120000`.
fn now() -> anyhow::Result<String> {
    // POSIX has this program, and there is no calendar here.
    cmd!("date", "-u", "+%Y%m%d%H%M%S").read().context("read the time by the program `date`")
}
