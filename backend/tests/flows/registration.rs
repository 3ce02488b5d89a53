//! Registering an account.

use backend::{
    Error,
    audit::Actor,
    password::{self, Weakness},
    users::{self, AccountStatus, Registration},
};

use crate::{PASSWORD, everything, logged, ourselves, user, while_open};

#[test]
fn a_new_account_is_found_by_its_address_in_any_case() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let registration =
            Registration { email: " Ada@Example.org ", username: "Countess", password: PASSWORD };
        let ada = users::register(&mut conn, &Actor::anonymous(), registration).await?;
        assert_eq!((ada.email.as_str(), ada.username.as_str()), ("Ada@Example.org", "Countess"));
        assert_eq!(ada.status, AccountStatus::PendingVerification);
        assert_eq!(ada.id.get_version_num(), 7);
        assert_eq!(users::find_by_email(&mut conn, "aDA@eXAMPLE.ORG").await?, Some(ada.clone()));
        assert_eq!(users::find_by_id(&mut conn, ada.id).await?, ada);
        for unknown in ["ada@example.com", "ada%", "", "ada@example.org\0"] {
            assert_eq!(users::find_by_email(&mut conn, unknown).await?, None, "{unknown:?}");
        }
        assert_eq!(logged(&mut conn, "create").await, 1);
        Ok(())
    });
}

#[test]
fn a_second_account_with_the_address_or_the_name_is_refused_in_any_case() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        user(&mut conn, "ada").await;
        let before = everything(&mut conn).await;
        let mut register = async |email, username| {
            let registration = Registration { email, username, password: PASSWORD };
            users::register(&mut conn, &ourselves(), registration).await.unwrap_err()
        };
        assert!(matches!(register("ADA@example.org", "another").await, Error::EmailTaken));
        assert!(matches!(register("another@example.org", "ADA").await, Error::UsernameTaken));
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn of_two_registrations_of_one_address_at_once_one_is_refused() {
    tests::with_database(async |db| {
        let mut first = db.pool().begin().await?;
        user(&mut first, "ada").await;
        let mut second = db.pool().acquire().await?;
        let registration = Registration { email: "Ada@example.org", username: "late", password: PASSWORD };
        let actor = ourselves();
        let late = while_open(db, first, users::register(&mut second, &actor, registration)).await;
        assert!(matches!(late, Err(Error::EmailTaken)), "{late:?}");
        assert_eq!(logged(&mut second, "create").await, 1);
        Ok(())
    });
}

#[test]
fn an_invalid_address_name_or_password_is_refused_and_nothing_is_written() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let before = everything(&mut conn).await;
        let long = format!("{}@example.org", "x".repeat(250));
        for email in
            ["", "ada", "@", "a@b@c", "a b@example.org", "a\0@example.org", "a\u{7f}@b", long.as_str()]
        {
            let registration = Registration { email, username: "ada", password: PASSWORD };
            let refused = users::register(&mut conn, &ourselves(), registration).await;
            assert!(matches!(refused, Err(Error::EmailInvalid)), "{email:?}: {refused:?}");
        }
        for username in ["", " ", " ada", "a\0", "a\nb", long.as_str()] {
            let registration = Registration { email: "ada@example.org", username, password: PASSWORD };
            let refused = users::register(&mut conn, &ourselves(), registration).await;
            assert!(matches!(refused, Err(Error::UsernameInvalid)), "{username:?}: {refused:?}");
        }
        let registration =
            Registration { email: "ada@example.org", username: "countess", password: "countess" };
        let Err(Error::Password(password::Error::Weak(why))) =
            users::register(&mut conn, &ourselves(), registration).await
        else {
            panic!("a name as a password");
        };
        assert_eq!(why, [Weakness::LikeTheUser]);
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn a_rollback_by_the_caller_undoes_a_registration() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let before = everything(&mut conn).await;
        let mut transaction = db.pool().begin().await?;
        user(&mut transaction, "ada").await;
        transaction.rollback().await?;
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}
