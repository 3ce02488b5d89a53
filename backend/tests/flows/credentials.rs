//! Signing in with a password.

use std::time::{Duration, Instant};

use backend::{
    audit::Actor,
    password::{self, COST, Cost},
    users::{self, AccountStatus, SignIn},
};
use sqlx::PgConnection;

use crate::{PASSWORD, logged, ourselves, user};

async fn sign_in(conn: &mut PgConnection, email: &str, password: &str) -> SignIn {
    users::sign_in(conn, &Actor::anonymous(), email, password).await.unwrap()
}

async fn failures(conn: &mut PgConnection) -> i64 {
    let failures = "select count(*) from audit_logs where action = 'login' and result = 'failure'";
    sqlx::query_scalar(failures).fetch_one(conn).await.unwrap()
}

async fn hash_of_ada(conn: &mut PgConnection) -> String {
    sqlx::query_scalar("select password_hash from users").fetch_one(conn).await.unwrap()
}

#[test]
fn only_the_right_password_signs_in() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await;
        assert!(hash_of_ada(&mut conn).await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let SignIn::Welcome(welcome) = sign_in(&mut conn, "ADA@example.org", PASSWORD).await else {
            panic!("the right password");
        };
        assert_eq!(welcome.id, ada.id);
        for wrong in ["", "An engine of 4 wheels", "an engine of 4 wheels ", "an engine of 4 wheels\0"] {
            let refused = sign_in(&mut conn, "ada@example.org", wrong).await;
            assert!(matches!(refused, SignIn::Refused), "{wrong:?}");
        }
        assert!(matches!(sign_in(&mut conn, "bob@example.org", PASSWORD).await, SignIn::Refused));
        // The log has both: the success with her id, the failures without one.
        assert_eq!((logged(&mut conn, "login").await, failures(&mut conn).await), (6, 5));
        let hers: i64 = sqlx::query_scalar("select count(*) from audit_logs where user_id = $1")
            .bind(ada.id)
            .fetch_one(&mut *conn)
            .await?;
        assert_eq!(hers, 1);
        Ok(())
    });
}

#[test]
fn an_account_without_a_password_refuses_every_sign_in() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        user(&mut conn, "ada").await;
        sqlx::query("update users set password_hash = null").execute(&mut *conn).await?;
        for password in ["", PASSWORD] {
            assert!(matches!(sign_in(&mut conn, "ada@example.org", password).await, SignIn::Refused));
        }
        Ok(())
    });
}

#[test]
fn only_the_right_password_reveals_that_an_account_is_closed() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await;
        users::suspend(&mut conn, &ourselves(), ada.id).await?;
        let closed = sign_in(&mut conn, "ada@example.org", PASSWORD).await;
        assert!(matches!(closed, SignIn::Closed(AccountStatus::Suspended)), "{closed:?}");
        assert!(matches!(sign_in(&mut conn, "ada@example.org", "wrong").await, SignIn::Refused));
        assert_eq!(failures(&mut conn).await, 2);
        Ok(())
    });
}

#[test]
fn a_cheap_hash_is_replaced_at_the_next_sign_in() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        user(&mut conn, "ada").await;
        let cheap = password::hash(PASSWORD, Cost { memory: 64, ..COST }).await?;
        sqlx::query("update users set password_hash = $1").bind(&cheap).execute(&mut *conn).await?;
        assert!(matches!(sign_in(&mut conn, "ada@example.org", "wrong").await, SignIn::Refused));
        assert_eq!(hash_of_ada(&mut conn).await, cheap);
        assert!(matches!(sign_in(&mut conn, "ada@example.org", PASSWORD).await, SignIn::Welcome(_)));
        let replaced = hash_of_ada(&mut conn).await;
        assert!(replaced.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{replaced}");
        // It is replaced once, and a more expensive hash stays.
        assert!(matches!(sign_in(&mut conn, "ada@example.org", PASSWORD).await, SignIn::Welcome(_)));
        assert_eq!(hash_of_ada(&mut conn).await, replaced);
        assert_eq!(logged(&mut conn, "update").await, 1);
        let dear = password::hash(PASSWORD, Cost { lanes: 2, passes: 3, ..COST }).await?;
        sqlx::query("update users set password_hash = $1").bind(&dear).execute(&mut *conn).await?;
        assert!(matches!(sign_in(&mut conn, "ada@example.org", PASSWORD).await, SignIn::Welcome(_)));
        assert_eq!(hash_of_ada(&mut conn).await, dear);
        Ok(())
    });
}

#[test]
fn refusing_an_unknown_address_takes_as_long() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        user(&mut conn, "ada").await;
        let [mut known, mut unknown] = [Duration::MAX; 2];
        // In turn, so that both run under the same load.
        for _ in 0..5 {
            for (email, fastest) in [("ada@example.org", &mut known), ("bob@example.org", &mut unknown)] {
                let start = Instant::now();
                assert!(matches!(sign_in(&mut conn, email, "wrong").await, SignIn::Refused));
                *fastest = start.elapsed().min(*fastest);
            }
        }
        // Without a hash it would take a twentieth of the time. No machine is that uneven five times in a row.
        assert!(unknown * 4 > known, "{unknown:?} against {known:?}");
        Ok(())
    });
}
