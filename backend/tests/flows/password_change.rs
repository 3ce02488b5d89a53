//! Setting a new password.

use backend::{
    Error,
    password::{self, Weakness},
    users::{self, AccountStatus, Rotation, SignIn},
};
use sqlx::PgConnection;

use crate::{LAPTOP, PASSWORD, everything, logged, ourselves, user, while_open};

const NEW: &str = "a loom that weaves algebra";

async fn signs_in(conn: &mut PgConnection, password: &str) -> bool {
    let outcome = users::sign_in(conn, &ourselves(), "ada@example.org", password).await.unwrap();
    matches!(outcome, SignIn::Welcome(_))
}

#[test]
fn a_new_password_ends_the_old_one_and_every_session() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await, user(&mut conn, "bob").await);
        let first = users::open_session(&mut conn, &ourselves(), ada.id, &LAPTOP).await?;
        users::open_session(&mut conn, &ourselves(), ada.id, &LAPTOP).await?;
        users::open_session(&mut conn, &ourselves(), bob.id, &LAPTOP).await?;
        let before: (String, i64) = changed(&mut conn).await;
        assert_eq!(users::change_password(&mut conn, &ourselves(), "ADA@example.org", NEW).await?, 2);
        assert!(!signs_in(&mut conn, PASSWORD).await && signs_in(&mut conn, NEW).await);
        assert!(users::live_sessions(&mut conn, ada.id).await?.is_empty());
        assert_eq!(users::live_sessions(&mut conn, bob.id).await?.len(), 1);
        let rotated = users::rotate_session(&mut conn, &ourselves(), &first.token).await?;
        assert!(matches!(rotated, Rotation::Reused), "{rotated:?}");
        let after = changed(&mut conn).await;
        assert!(after.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && after.1 > before.1, "{after:?}");
        assert_eq!(logged(&mut conn, "password_change").await, 1);
        Ok(())
    });
}

/// Ada's hash, and the microsecond in which it was set.
async fn changed(conn: &mut PgConnection) -> (String, i64) {
    let changed = "select password_hash, (extract(epoch from password_changed_at) * 1000000)::bigint
                   from users where username = 'ada'";
    sqlx::query_as(changed).fetch_one(conn).await.unwrap()
}

#[test]
fn a_weak_password_and_an_unknown_address_are_refused_and_nothing_is_written() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await;
        let erased = user(&mut conn, "eve").await;
        let _ = users::erase(&mut conn, &ourselves(), erased.id).await?;
        let erased = users::find_by_id(&mut conn, erased.id).await?.email;
        users::open_session(&mut conn, &ourselves(), ada.id, &LAPTOP).await?;
        let before = everything(&mut conn).await;
        let mut refused = async |email: &str, new: &str| {
            users::change_password(&mut conn, &ourselves(), email, new).await.unwrap_err()
        };
        for (weak, expected) in [
            ("short", Weakness::TooShort),
            ("83746529", Weakness::AllDigits),
            ("password1", Weakness::TooCommon),
            ("ada@example.org", Weakness::LikeTheUser),
        ] {
            let Error::Password(password::Error::Weak(why)) = refused("ada@example.org", weak).await else {
                panic!("{weak}")
            };
            assert_eq!(why, [expected], "{weak}");
        }
        assert!(matches!(refused("bob@example.org", NEW).await, Error::NoSuchUser));
        assert!(matches!(refused("eve@example.org", NEW).await, Error::NoSuchUser));
        let closed = refused(&erased, NEW).await;
        assert!(matches!(closed, Error::Status(AccountStatus::Erased)), "{closed:?}");
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn a_sign_in_during_a_password_change_needs_the_new_password() {
    for password in [PASSWORD, NEW] {
        tests::with_database(async |db| {
            let mut second = db.pool().acquire().await?;
            user(&mut second, "ada").await;
            let mut first = db.pool().begin().await?;
            users::change_password(&mut first, &ourselves(), "ada@example.org", NEW).await?;
            // The new password is not valid before the commit, and the old one is not valid after it.
            assert!(!while_open(db, first, signs_in(&mut second, password)).await, "{password}");
            assert!(signs_in(&mut second, NEW).await);
            Ok(())
        });
    }
}
