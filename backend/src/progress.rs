//! The app `progress`: the progress of a user with a piece of content.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{Connection, PgConnection, Type};
use uuid::Uuid;

use crate::{
    Error, Result,
    audit::{Actor, Entry, record as log},
    users::require_active,
};

/// The progress of a user with a piece of content.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The kind of content: course, module, lesson or another kind of the content system.
    pub content_type: String,
    /// Its key in the content system.
    pub content_id: String,
    /// Its state.
    pub status: ProgressStatus,
    /// In percent, from 0 to 100.
    pub completion_percentage: i16,
    /// Points, in the content's own scale.
    pub score: Option<f64>,
    /// When the user first started it.
    pub started_at: Option<DateTime<Utc>>,
    /// When the user first completed it.
    pub completed_at: Option<DateTime<Utc>>,
}

/// The state of a piece of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ProgressStatus {
    /// Untouched.
    NotStarted,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
    /// Interrupted.
    Paused,
}

/// A report about a piece of content.
#[derive(Debug, Clone, Copy)]
pub struct Report<'r> {
    /// The kind of content.
    pub content_type: &'r str,
    /// Its key.
    pub content_id: &'r str,
    /// Its state.
    pub status: ProgressStatus,
    /// In percent, from 0 to 100.
    pub completion_percentage: i16,
    /// Points. Without them, the earlier ones stay.
    pub score: Option<f64>,
}

/// Whether a report may lower the progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It may not, so reports may come late or twice: the percentage never falls, started stays started and completed stays
    /// completed.
    Forward,
    /// It may, for example after a reset.
    Exact,
}

/// Records the progress of a user.
///
/// # Errors
/// [`Error::ProgressInvalid`], [`Error::NoSuchUser`], [`Error::Status`].
pub async fn record(
    conn: &mut PgConnection,
    actor: &Actor,
    user: Uuid,
    report: Report<'_>,
    mode: Mode,
) -> Result<Progress> {
    if report.content_type.contains('\0') || report.content_id.contains('\0') {
        return Err(Error::ProgressInvalid);
    }
    let mut transaction = conn.begin().await?;
    require_active(&mut transaction, user).await?;
    // In one statement, so that no other report can come between reading and writing.
    let progress = sqlx::query_as!(
        Progress,
        r#"insert into progress as kept
               (id, user_id, content_type, content_id, status, completion_percentage, score, started_at, completed_at)
           values ($1, $2, $3, $4, $5, $6, $7,
                   case when $5 <> 'not_started' then now() end,
                   case when $5 = 'completed' then now() end)
           on conflict on constraint progress_user_id_content_type_content_id_key do update
           set status = case
                   when $8 then excluded.status
                   when kept.status = 'completed' or excluded.status = 'not_started' then kept.status
                   else excluded.status
               end,
               completion_percentage = case
                   when $8 then excluded.completion_percentage
                   else greatest(kept.completion_percentage, excluded.completion_percentage)
               end,
               score = case when $8 then excluded.score else coalesce(excluded.score, kept.score) end,
               started_at = case
                   when $8 and excluded.status = 'not_started' then null
                   else coalesce(kept.started_at, excluded.started_at)
               end,
               completed_at = case
                   when $8 and excluded.status <> 'completed' then null
                   else coalesce(kept.completed_at, excluded.completed_at)
               end
           returning content_type, content_id, status as "status: ProgressStatus", completion_percentage, score,
                     started_at, completed_at"#,
        Uuid::now_v7(),
        user,
        report.content_type,
        report.content_id,
        report.status as ProgressStatus,
        report.completion_percentage,
        report.score,
        mode == Mode::Exact,
    )
    .fetch_one(&mut *transaction)
    .await?;
    let entry = Entry::new("update", "progress", user).changes(json!({
        "content_type": progress.content_type,
        "content_id": progress.content_id,
        "completion_percentage": progress.completion_percentage,
    }));
    log(&mut transaction, actor, entry).await?;
    transaction.commit().await?;
    Ok(progress)
}

/// Returns all progress of a user.
///
/// # Errors
/// [`Error::Database`] if the query fails.
pub async fn list(conn: &mut PgConnection, user: Uuid) -> Result<Vec<Progress>> {
    let progress = sqlx::query_as!(
        Progress,
        r#"select content_type, content_id, status as "status: ProgressStatus", completion_percentage, score,
                  started_at, completed_at
           from progress
           where user_id = $1
           order by content_type, content_id"#,
        user
    );
    Ok(progress.fetch_all(conn).await?)
}

/// Removes what may identify the user. The progress itself stays for statistics.
pub(crate) async fn forget(conn: &mut PgConnection, user: Uuid) -> Result<i32> {
    let forgotten =
        sqlx::query!("update progress set metadata = '{}' where user_id = $1 and metadata <> '{}'", user);
    Ok(i32::try_from(forgotten.execute(conn).await?.rows_affected()).unwrap_or(i32::MAX))
}
