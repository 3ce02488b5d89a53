//! The names of new migrations, which follow those that their app has.

use std::time::SystemTime;

use anyhow::ensure;
use migrations::{App, MigrationId, Project};

/// The highest number of four digits.
const LAST: i64 = 9999;

/// The name of an app's next migration, after `drafts` others that are not written yet.
pub(super) fn next(project: &Project, app: &App, drafts: usize, words: &str) -> anyhow::Result<MigrationId> {
    let naming = project.naming(app);
    let number = naming.next(&now()) + i64::try_from(drafts)?;
    let four_digits = naming.digits == 4 && naming.last.is_none_or(|last| last <= LAST);
    ensure!(!four_digits || number <= LAST, "app `{}` has used all numbers up to {LAST}", app.name);
    Ok(MigrationId { app: app.name.clone(), name: naming.name(number, words) })
}

/// The time in UTC, as sqlx-cli writes it into a name: `20240301120000`.
fn now() -> String {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    stamp(elapsed.as_secs())
}

fn stamp(seconds: u64) -> String {
    let (mut days, in_day) = (seconds / 86_400, seconds % 86_400);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (in_day / 3600, in_day / 60 % 60, in_day % 60);
    format!("{year}{month:02}{:02}{hour:02}{minute:02}{second:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn a_time_is_written_as_sqlx_writes_it() {
        assert_eq!(stamp(0), "19700101000000");
        assert_eq!(stamp(951_782_399), "20000228235959");
        assert_eq!(stamp(951_782_400), "20000229000000");
        assert_eq!(stamp(1_709_251_199), "20240229235959");
        assert_eq!(stamp(1_735_689_599), "20241231235959");
    }
}
