//! Progress with content.

use backend::{
    Error,
    progress::{self, Mode, ProgressStatus, Report},
    users,
};
use uuid::Uuid;

use crate::{everything, ourselves, user, while_open};

const HALF: Report<'static> = Report {
    content_type: "lesson",
    content_id: "loops",
    status: ProgressStatus::InProgress,
    completion_percentage: 50,
    score: None,
};
const DONE: Report<'static> =
    Report { status: ProgressStatus::Completed, completion_percentage: 100, score: Some(8.5), ..HALF };
const NOTHING: Report<'static> =
    Report { status: ProgressStatus::NotStarted, completion_percentage: 0, score: None, ..HALF };

#[test]
fn progress_only_goes_forward() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let mut record = async |report| {
            progress::record(&mut conn, &ourselves(), ada, report, Mode::Forward).await.unwrap()
        };
        let nothing = record(NOTHING).await;
        assert_eq!((nothing.started_at, nothing.completed_at), (None, None));
        let half = record(HALF).await;
        assert!(half.started_at.is_some() && half.completed_at.is_none());
        let late = record(Report { completion_percentage: 20, status: ProgressStatus::Paused, ..HALF }).await;
        assert_eq!((late.completion_percentage, late.status), (50, ProgressStatus::Paused));
        let late = record(NOTHING).await;
        assert_eq!(late.status, ProgressStatus::Paused);
        assert_eq!(late.started_at, half.started_at);

        let done = record(DONE).await;
        assert!(done.completed_at.is_some());
        for late in [HALF, NOTHING, DONE] {
            assert_eq!(record(Report { score: None, ..late }).await, done);
        }
        assert_eq!(record(Report { score: Some(9.0), ..HALF }).await.score, Some(9.0));
        Ok(())
    });
}

#[test]
fn progress_goes_back_in_mode_exact() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        progress::record(&mut conn, &ourselves(), ada, DONE, Mode::Forward).await?;
        let half = progress::record(&mut conn, &ourselves(), ada, HALF, Mode::Exact).await?;
        assert_eq!((half.status, half.completion_percentage), (ProgressStatus::InProgress, 50));
        assert!(half.started_at.is_some() && half.completed_at.is_none() && half.score.is_none());
        let nothing = progress::record(&mut conn, &ourselves(), ada, NOTHING, Mode::Exact).await?;
        assert_eq!((nothing.started_at, nothing.completion_percentage), (None, 0));
        Ok(())
    });
}

#[test]
fn of_two_reports_at_once_the_higher_one_counts() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let actor = ourselves();
        let mut first = db.pool().begin().await?;
        progress::record(&mut first, &actor, ada, DONE, Mode::Forward).await?;
        let second = progress::record(&mut conn, &actor, ada, HALF, Mode::Forward);
        let second = while_open(db, first, second).await?;
        assert_eq!((second.status, second.completion_percentage), (ProgressStatus::Completed, 100));
        assert_eq!(progress::list(&mut conn, ada).await?, [second]);
        Ok(())
    });
}

#[test]
fn every_user_has_their_own_list() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        for content_id in ["while", "if", "loops"] {
            let report = Report { content_id, ..HALF };
            progress::record(&mut conn, &ourselves(), ada, report, Mode::Forward).await?;
        }
        let list = progress::list(&mut conn, ada).await?;
        assert_eq!(
            list.iter().map(|one| one.content_id.as_str()).collect::<Vec<_>>(),
            ["if", "loops", "while"]
        );
        assert!(progress::list(&mut conn, bob).await?.is_empty());
        Ok(())
    });
}

#[test]
fn invalid_progress_is_refused_and_nothing_is_written() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        users::suspend(&mut conn, &ourselves(), bob).await?;
        let before = everything(&mut conn).await;
        let mut record = async |user, report| {
            progress::record(&mut conn, &ourselves(), user, report, Mode::Exact).await.unwrap_err()
        };
        for completion_percentage in [-1, 101, i16::MAX] {
            let report = Report { completion_percentage, ..HALF };
            assert!(matches!(record(ada, report).await, Error::ProgressInvalid));
        }
        for score in [-0.5, f64::NAN, f64::INFINITY] {
            let report = Report { score: Some(score), ..HALF };
            assert!(matches!(record(ada, report).await, Error::ProgressInvalid), "{score}");
        }
        let report = Report { content_id: "a\0", ..HALF };
        assert!(matches!(record(ada, report).await, Error::ProgressInvalid));
        assert!(matches!(record(bob, HALF).await, Error::Status(_)));
        assert!(matches!(record(Uuid::now_v7(), HALF).await, Error::NoSuchUser));
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}
