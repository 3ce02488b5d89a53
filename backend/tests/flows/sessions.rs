//! Sessions and their refresh tokens.

use backend::{
    Error,
    token::Token,
    users::{self, Device, Opened, Rotation},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{LAPTOP, everything, logged, ourselves, user, while_open};

async fn open(conn: &mut PgConnection, user: Uuid) -> Opened {
    users::open_session(conn, &ourselves(), user, &LAPTOP).await.unwrap()
}

async fn rotate(conn: &mut PgConnection, token: &Token) -> Rotation {
    users::rotate_session(conn, &ourselves(), token).await.unwrap()
}

#[track_caller]
fn rotated(rotation: Rotation) -> Opened {
    let Rotation::Rotated(opened) = rotation else { panic!("{rotation:?}") };
    opened
}

#[test]
fn a_token_is_valid_for_one_rotation_and_only_its_hash_is_stored() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let first = open(&mut conn, ada).await;
        let second = rotated(rotate(&mut conn, &first.token).await);
        assert_eq!(second.session.family_id, first.session.family_id);
        assert_eq!(second.session.device_name.as_deref(), Some("Laptop"));
        assert_ne!(second.token, first.token);
        assert_eq!(users::live_sessions(&mut conn, ada).await?, [second.session]);
        for (table, text) in everything(&mut conn).await {
            for token in [first.token.reveal(), second.token.reveal()] {
                assert!(!text.contains(&token), "{table} holds a token");
            }
        }
        let shown = format!("{:?}", first.token);
        assert!(!shown.contains(&first.token.reveal()[..8]), "{shown}");
        Ok(())
    });
}

#[test]
fn a_token_that_is_used_twice_ends_its_family_and_no_other() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let (first, elsewhere) = (open(&mut conn, ada).await, open(&mut conn, ada).await);
        let second = rotated(rotate(&mut conn, &first.token).await);
        let third = rotated(rotate(&mut conn, &second.token).await);
        assert!(matches!(rotate(&mut conn, &first.token).await, Rotation::Reused));
        // The newest token is invalid too.
        assert!(matches!(rotate(&mut conn, &third.token).await, Rotation::Reused));
        assert_eq!(users::live_sessions(&mut conn, ada).await?, [elsewhere.session]);
        assert_eq!(logged(&mut conn, "session_revoked").await, 2);
        Ok(())
    });
}

#[test]
fn of_two_rotations_of_one_token_at_once_one_is_reuse() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let opened = open(&mut conn, ada).await;
        let mut first = db.pool().begin().await?;
        rotated(rotate(&mut first, &opened.token).await);
        let second = while_open(db, first, rotate(&mut conn, &opened.token)).await;
        assert!(matches!(second, Rotation::Reused), "{second:?}");
        assert!(users::live_sessions(&mut conn, ada).await?.is_empty());
        Ok(())
    });
}

#[test]
fn a_reuse_ends_a_session_that_is_being_opened() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let old = open(&mut conn, ada).await;
        let new = rotated(rotate(&mut conn, &old.token).await);
        // The thief uses the newest token while the owner uses the old one.
        let mut thief = db.pool().begin().await?;
        rotated(rotate(&mut thief, &new.token).await);
        let owner = while_open(db, thief, rotate(&mut conn, &old.token)).await;
        assert!(matches!(owner, Rotation::Reused), "{owner:?}");
        assert!(users::live_sessions(&mut conn, ada).await?.is_empty());
        Ok(())
    });
}

#[test]
fn a_rotation_during_a_suspension_leaves_no_session() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let (opened, actor) = (open(&mut conn, ada).await, ourselves());
        let mut rotating = db.pool().begin().await?;
        rotated(rotate(&mut rotating, &opened.token).await);
        while_open(db, rotating, users::suspend(&mut conn, &actor, ada)).await?;
        assert!(users::live_sessions(&mut conn, ada).await?.is_empty());
        Ok(())
    });
}

#[test]
fn a_forged_token_opens_nothing_and_ends_nothing() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let opened = open(&mut conn, ada).await;
        let text = opened.token.reveal();
        assert_eq!(text.parse::<Token>()?, opened.token);
        let first = if text.starts_with('0') { "1" } else { "0" };
        let before = everything(&mut conn).await;
        let tampered: Token = format!("{first}{}", &text[1..]).parse()?;
        assert!(matches!(rotate(&mut conn, &tampered).await, Rotation::Refused));
        for malformed in
            ["", &text[1..], &format!("{text}0"), &text.to_uppercase(), &format!("+{}", &text[1..])]
        {
            assert!(malformed.parse::<Token>().is_err() || *malformed == text, "{malformed}");
        }
        assert_eq!(everything(&mut conn).await, before);
        assert_eq!(users::live_sessions(&mut conn, ada).await?, [opened.session]);
        Ok(())
    });
}

#[test]
fn an_expired_session_is_neither_live_nor_rotated() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let opened = open(&mut conn, ada).await;
        sqlx::query("update user_sessions set created_at = now() - interval '31 days', expires_at = now() - interval '1 day'")
            .execute(&mut *conn)
            .await?;
        assert!(users::live_sessions(&mut conn, ada).await?.is_empty());
        assert!(matches!(rotate(&mut conn, &opened.token).await, Rotation::Refused));
        Ok(())
    });
}

#[test]
fn revoking_a_session_ends_its_family() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let first = open(&mut conn, ada).await;
        let second = rotated(rotate(&mut conn, &first.token).await);
        users::revoke_session(&mut conn, &ourselves(), second.session.id).await?;
        assert!(users::live_sessions(&mut conn, ada).await?.is_empty());
        let before = everything(&mut conn).await;
        for over in [first.session.id, second.session.id, Uuid::now_v7()] {
            let again = users::revoke_session(&mut conn, &ourselves(), over).await;
            assert!(matches!(again, Err(Error::NoSuchSession)));
        }
        let odd = Device { kind: Some("fridge"), ..LAPTOP };
        let odd = users::open_session(&mut conn, &ourselves(), ada, &odd).await;
        assert!(matches!(odd, Err(Error::DeviceInvalid)));
        assert_eq!(everything(&mut conn).await, before);
        assert!(matches!(rotate(&mut conn, &second.token).await, Rotation::Reused));
        Ok(())
    });
}
