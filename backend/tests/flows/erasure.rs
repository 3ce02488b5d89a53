//! Erasing an account.

use backend::{
    Error,
    audit::Actor,
    organizations::{self, MemberRole, OrganizationType},
    progress::{self, Mode, ProgressStatus, Report},
    users::{self, AccountStatus, Registration, Scope, SignIn},
};
use sqlx::{Executor, PgConnection};
use uuid::Uuid;

use crate::{LAPTOP, PASSWORD, everything, logged, ourselves, user, while_open};

/// Part of every value that identifies the person. Afterwards, no table may contain it.
const MARK: &str = "lovelace";

/// A value that identifies the person, in every column that can hold one.
const BELONGINGS: &str = "
    update users set first_name = 'Lovelace', last_name = 'Lovelace', bio = 'lovelace', avatar_url = 'https://lovelace.org',
        phone_number = '+491234567890', last_login_ip = '192.0.2.99', country = 'GB', cohort_id = 'lovelace',
        track_key = 'lovelace', timezone = 'Europe/London', language = 'en-GB', risk_level = 'high', is_staff = true;
    insert into device_trust (user_id, device_name, device_type, device_fingerprint, ip_address, user_agent)
        select id, 'lovelace', 'mobile', 'lovelace', '192.0.2.99', 'lovelace' from users;
    insert into mfa_methods (user_id, method_type, phone_e164) select id, 'sms', '+491234567890' from users;
    insert into mfa_codes (user_id, method, purpose, code_hash, expires_at, ip_address)
        select id, 'email', 'login', sha256('x'), now() + interval '1 hour', '192.0.2.99' from users;
    insert into user_identities (user_id, provider, provider_sub, metadata)
        select id, 'google', 'lovelace', '{\"name\": \"lovelace\"}' from users;
    insert into api_keys (name, key_type, key_prefix, key_hash, user_id)
        select 'lovelace', 'partner', 'och_lovelace', sha256('y'), id from users;
    insert into entitlements (user_id, feature, metadata) select id, 'cohort_seat', '{\"by\": \"lovelace\"}' from users;
    insert into consent_scopes (user_id, scope_type, granted, granted_at) select id, 'research', true, now() from users;
    insert into data_exports (user_id, subject_ref, export_type, file_path, file_hash, status, completed_at, metadata)
        select id, 'lovelace', 'full', '/exports/lovelace.json', repeat('a', 64), 'completed', now(), '{\"to\": \"lovelace\"}' from users;
    insert into data_erasures (user_id, subject_ref, erasure_type, reason, errors, metadata)
        select id, 'lovelace', 'full', 'lovelace asks for it', '[\"lovelace\"]', '{\"by\": \"lovelace\"}' from users;
    insert into data_erasures (user_id, subject_ref, erasure_type) select id, 'lovelace', 'partial' from users;
    update progress set metadata = '{\"note\": \"lovelace\"}'";

async fn lovelace(conn: &mut PgConnection) -> Uuid {
    let registration = Registration { email: "Ada@Lovelace.org", username: "lovelace", password: PASSWORD };
    let ada = users::register(conn, &Actor::anonymous(), registration).await.unwrap().id;
    users::activate(conn, &ourselves(), ada).await.unwrap();
    ada
}

#[test]
fn no_table_identifies_an_erased_person() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = lovelace(&mut conn).await;
        let signed_in = users::sign_in(&mut conn, &Actor::anonymous(), "ada@lovelace.org", PASSWORD).await?;
        assert!(matches!(signed_in, SignIn::Welcome(_)));
        let refused = users::sign_in(&mut conn, &Actor::anonymous(), "ada@lovelace.org", "lovelace!").await?;
        assert!(matches!(refused, SignIn::Refused));
        users::open_session(&mut conn, &Actor::user(ada), ada, &LAPTOP).await?;
        users::grant_role(&mut conn, &ourselves(), ada, "student", &Scope::Global, None).await?;
        let report = Report {
            content_type: "lesson",
            content_id: "loops",
            status: ProgressStatus::InProgress,
            completion_percentage: 50,
            score: None,
        };
        progress::record(&mut conn, &Actor::user(ada), ada, report, Mode::Forward).await?;
        conn.execute(BELONGINGS).await?;
        let log_before: i64 =
            sqlx::query_scalar("select count(*) from audit_logs").fetch_one(&mut *conn).await?;

        let erasure = users::erase(&mut conn, &Actor::user(ada), ada).await?;
        // A session, a device, a factor, a code, an identity, a key and a feature.
        assert_eq!((erasure.erased, erasure.files), (7, vec!["/exports/lovelace.json".to_owned()]));
        // The account, a role, a consent, the progress and an export.
        assert_eq!(erasure.anonymized, 5);

        for (table, text) in everything(&mut conn).await {
            for mark in [MARK, "192.0.2.99", "491234567890", "argon2", "Laptop", "Europe/London", "en-gb"] {
                assert!(
                    !text.to_lowercase().contains(&mark.to_lowercase()),
                    "{table} still has {mark}: {text}"
                );
            }
        }
        let ada = users::find_by_id(&mut conn, ada).await?;
        assert_eq!(ada.status, AccountStatus::Erased);
        assert!(
            ada.email.ends_with("@erased.invalid")
                && ada.last_login.is_none()
                && ada.email_verified_at.is_none()
        );
        let plain: bool = sqlx::query_scalar(
            "select country is null and org_id is null and risk_level = 'low' and not is_staff and password_changed_at is null
             from users",
        )
        .fetch_one(&mut *conn)
        .await?;
        assert!(plain);
        let log: i64 = sqlx::query_scalar("select count(*) from audit_logs").fetch_one(&mut *conn).await?;
        assert_eq!(log, log_before + 1);
        let requests: Vec<String> = sqlx::query_scalar(
            "select concat_ws(' ', erasure_type, status, subject_ref = $1::text, records_erased, records_anonymized)
             from data_erasures order by 1",
        )
        .bind(ada.id)
        .fetch_all(&mut *conn)
        .await?;
        assert_eq!(requests, ["full completed t 7 5", "partial cancelled t 0 0"]);
        Ok(())
    });
}

#[test]
fn an_erased_account_stays_erased() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = lovelace(&mut conn).await;
        let _ = users::erase(&mut conn, &ourselves(), ada).await?;
        let before = everything(&mut conn).await;
        let gone = |outcome: Error| matches!(outcome, Error::Status(AccountStatus::Erased));
        assert!(gone(users::erase(&mut conn, &ourselves(), ada).await.unwrap_err()));
        assert!(gone(users::activate(&mut conn, &ourselves(), ada).await.unwrap_err()));
        assert!(gone(users::suspend(&mut conn, &ourselves(), ada).await.unwrap_err()));
        assert!(gone(users::open_session(&mut conn, &ourselves(), ada, &LAPTOP).await.unwrap_err()));
        let role = users::grant_role(&mut conn, &ourselves(), ada, "student", &Scope::Global, None).await;
        assert!(gone(role.unwrap_err()));
        assert_eq!(everything(&mut conn).await, before);
        assert_eq!(users::find_by_email(&mut conn, "ada@lovelace.org").await?, None);
        // Another person can register the address.
        assert_ne!(lovelace(&mut conn).await, ada);
        Ok(())
    });
}

#[test]
fn of_two_erasures_at_once_one_is_refused() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, actor) = (lovelace(&mut conn).await, ourselves());
        let mut first = db.pool().begin().await?;
        let _ = users::erase(&mut first, &actor, ada).await?;
        let second = while_open(db, first, users::erase(&mut conn, &actor, ada)).await;
        assert!(matches!(second, Err(Error::Status(AccountStatus::Erased))), "{second:?}");
        assert_eq!(logged(&mut conn, "data_erased").await, 1);
        Ok(())
    });
}

#[test]
fn a_session_that_is_opened_during_an_erasure_does_not_survive_it() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, actor) = (lovelace(&mut conn).await, ourselves());
        let mut opening = db.pool().begin().await?;
        users::open_session(&mut opening, &actor, ada, &LAPTOP).await?;
        let erasure = while_open(db, opening, users::erase(&mut conn, &actor, ada)).await?;
        assert_eq!(erasure.erased, 1);
        let left: i64 =
            sqlx::query_scalar("select count(*) from user_sessions").fetch_one(&mut *conn).await?;
        assert_eq!(left, 0);
        Ok(())
    });
}

#[test]
fn an_owner_and_a_last_admin_must_hand_over_before_erasure() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (lovelace(&mut conn).await, user(&mut conn, "bob").await.id);
        let kind = OrganizationType::Employer;
        let acme = organizations::create(&mut conn, &ourselves(), "Acme", "acme", kind, ada).await?.id;
        let before = everything(&mut conn).await;
        assert!(matches!(users::erase(&mut conn, &ourselves(), ada).await, Err(Error::IsOwner)));
        assert_eq!(everything(&mut conn).await, before);

        sqlx::query("update organizations set owner_id = null").execute(&mut *conn).await?;
        let before = everything(&mut conn).await;
        assert!(matches!(users::erase(&mut conn, &ourselves(), ada).await, Err(Error::LastAdmin)));
        assert_eq!(everything(&mut conn).await, before);

        organizations::transfer_ownership(&mut conn, &ourselves(), acme, None, bob).await?;
        assert_eq!(users::erase(&mut conn, &ourselves(), ada).await?.erased, 1);
        let left = organizations::members(&mut conn, acme).await?;
        assert_eq!(
            left.iter().map(|member| (member.user_id, member.role)).collect::<Vec<_>>(),
            [(bob, MemberRole::Admin)]
        );
        Ok(())
    });
}

#[test]
fn an_erasure_without_a_request_is_recorded_too() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = lovelace(&mut conn).await;
        let _ = users::erase(&mut conn, &Actor::user(ada), ada).await?;
        let proof: String = sqlx::query_scalar(
            "select concat_ws(' ', erasure_type, status, requested_by = user_id, subject_ref = user_id::text) from data_erasures",
        )
        .fetch_one(&mut *conn)
        .await?;
        assert_eq!(proof, "full completed t t");
        Ok(())
    });
}
