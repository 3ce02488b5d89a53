//! Opening and closing an account.

use backend::{
    Error,
    users::{self, AccountStatus},
};
use uuid::Uuid;

use crate::{LAPTOP, everything, ourselves, user, while_open};

#[test]
fn activating_verifies_the_address_of_a_pending_account_only() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await;
        assert_eq!(ada.email_verified_at, None);
        let active = users::activate(&mut conn, &ourselves(), ada.id).await?;
        assert_eq!(active.status, AccountStatus::Active);
        assert!(active.email_verified_at.is_some());

        let bob = user(&mut conn, "bob").await;
        users::suspend(&mut conn, &ourselves(), bob.id).await?;
        let again = users::activate(&mut conn, &ourselves(), bob.id).await?;
        assert_eq!((again.status, again.email_verified_at), (AccountStatus::Active, None));
        Ok(())
    });
}

#[test]
fn an_impossible_step_is_refused_and_writes_nothing() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await, user(&mut conn, "bob").await);
        users::activate(&mut conn, &ourselves(), ada.id).await?;
        users::suspend(&mut conn, &ourselves(), bob.id).await?;
        let before = everything(&mut conn).await;
        let twice = users::activate(&mut conn, &ourselves(), ada.id).await;
        assert!(matches!(twice, Err(Error::Status(AccountStatus::Active))));
        let twice = users::suspend(&mut conn, &ourselves(), bob.id).await;
        assert!(matches!(twice, Err(Error::Status(AccountStatus::Suspended))));
        let unknown = users::activate(&mut conn, &ourselves(), Uuid::now_v7()).await;
        assert!(matches!(unknown, Err(Error::NoSuchUser)));
        let unknown = users::suspend(&mut conn, &ourselves(), Uuid::now_v7()).await;
        assert!(matches!(unknown, Err(Error::NoSuchUser)));
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn suspending_ends_every_session_and_prevents_new_ones() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await, user(&mut conn, "bob").await);
        for id in [ada.id, ada.id, bob.id] {
            users::open_session(&mut conn, &ourselves(), id, &LAPTOP).await?;
        }
        users::suspend(&mut conn, &ourselves(), ada.id).await?;
        assert!(users::live_sessions(&mut conn, ada.id).await?.is_empty());
        assert_eq!(users::live_sessions(&mut conn, bob.id).await?.len(), 1);
        let refused = users::open_session(&mut conn, &ourselves(), ada.id, &LAPTOP).await;
        assert!(matches!(refused, Err(Error::Status(AccountStatus::Suspended))));
        Ok(())
    });
}

#[test]
fn a_session_that_is_opened_during_a_suspension_does_not_survive_it() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await;
        let actor = ourselves();

        let mut opening = db.pool().begin().await?;
        users::open_session(&mut opening, &actor, ada.id, &LAPTOP).await?;
        while_open(db, opening, users::suspend(&mut conn, &actor, ada.id)).await?;
        assert!(users::live_sessions(&mut conn, ada.id).await?.is_empty());

        users::activate(&mut conn, &actor, ada.id).await?;
        let mut suspending = db.pool().begin().await?;
        users::suspend(&mut suspending, &actor, ada.id).await?;
        let refused = users::open_session(&mut conn, &actor, ada.id, &LAPTOP);
        assert!(matches!(while_open(db, suspending, refused).await, Err(Error::Status(_))));
        Ok(())
    });
}
