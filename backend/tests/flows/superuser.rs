//! The first administrator.

use backend::{
    Error,
    password::{self, Weakness},
    users::{self, ADMIN, AccountStatus, Registration, Scope, SignIn},
};
use sqlx::PgConnection;

use crate::{LAPTOP, PASSWORD, everything, logged, ourselves, user, while_open};

const ADA: Registration<'static> =
    Registration { email: "Ada@example.org", username: "countess", password: PASSWORD };

async fn superuser(conn: &mut PgConnection, registration: Registration<'_>) -> backend::Result<users::User> {
    users::create_superuser(conn, &ourselves(), registration).await
}

#[test]
fn a_superuser_signs_in_and_may_do_everything() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = superuser(&mut conn, ADA).await?;
        assert_eq!(ada.status, AccountStatus::Active);
        assert!(ada.email_verified_at.is_some());
        let flags: (bool, bool) = sqlx::query_as("select is_superuser, is_staff from users where id = $1")
            .bind(ada.id)
            .fetch_one(&mut *conn)
            .await?;
        assert_eq!(flags, (true, true));
        let SignIn::Welcome(welcome) =
            users::sign_in(&mut conn, &ourselves(), "ada@EXAMPLE.org", PASSWORD).await?
        else {
            panic!("the right password");
        };
        users::open_session(&mut conn, &ourselves(), welcome.id, &LAPTOP).await?;
        let all: Vec<String> =
            sqlx::query_scalar("select name from permissions order by name").fetch_all(&mut *conn).await?;
        for scope in [Scope::Global, Scope::Track("data".to_owned())] {
            assert_eq!(users::permissions_of(&mut conn, ada.id, &scope).await?, all);
        }
        for (action, lines) in [("create", 1), ("update", 2), ("role_assigned", 1)] {
            assert_eq!(logged(&mut conn, action).await, lines, "{action}");
        }
        Ok(())
    });
}

#[test]
fn a_refused_superuser_leaves_nothing_behind() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        user(&mut conn, "ada").await;
        let before = everything(&mut conn).await;
        let taken = superuser(&mut conn, ADA).await;
        assert!(matches!(taken, Err(Error::EmailTaken)), "{taken:?}");
        let taken =
            superuser(&mut conn, Registration { email: "eve@example.org", username: "ADA", ..ADA }).await;
        assert!(matches!(taken, Err(Error::UsernameTaken)), "{taken:?}");
        let weak =
            superuser(&mut conn, Registration { email: "eve@example.org", password: "1234", ..ADA }).await;
        let Err(Error::Password(password::Error::Weak(why))) = weak else { panic!("{weak:?}") };
        assert_eq!(why, [Weakness::TooShort, Weakness::AllDigits]);
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn without_the_role_there_is_no_superuser() {
    tests::unseeded().run(async |db| {
        let mut conn = db.pool().acquire().await?;
        let before = everything(&mut conn).await;
        let refused = superuser(&mut conn, ADA).await;
        assert!(matches!(refused, Err(Error::NoSuchRole)), "{refused:?}");
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn of_two_superusers_with_one_address_at_once_one_is_refused() {
    tests::with_database(async |db| {
        let mut first = db.pool().begin().await?;
        superuser(&mut first, ADA).await?;
        let mut second = db.pool().acquire().await?;
        let late = Registration { email: "aDA@example.org", username: "late", ..ADA };
        let late = while_open(db, first, superuser(&mut second, late)).await;
        assert!(matches!(late, Err(Error::EmailTaken)), "{late:?}");
        let admins = "select count(*) from user_roles join roles on roles.id = role_id where name = $1";
        let admins: i64 = sqlx::query_scalar(admins).bind(ADMIN).fetch_one(&mut *second).await?;
        assert_eq!((admins, logged(&mut second, "create").await), (1, 1));
        Ok(())
    });
}

#[test]
fn trying_names_leaves_no_trace() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        user(&mut conn, "ada").await;
        let before = everything(&mut conn).await;
        users::try_names(&mut conn, " eve@example.org ", "eve").await?;
        for (email, username, expected) in [
            ("ADA@example.org", "eve", "EmailTaken"),
            ("eve@example.org", "ADA", "UsernameTaken"),
            ("eve", "eve", "EmailInvalid"),
            ("eve@example.org\u{7f}", "eve", "EmailInvalid"),
            ("eve@example.org", "", "UsernameInvalid"),
            ("eve@example.org", " eve", "UsernameInvalid"),
        ] {
            let refused = users::try_names(&mut conn, email, username).await.unwrap_err();
            assert_eq!(format!("{refused:?}"), expected, "{email} {username}");
        }
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}
