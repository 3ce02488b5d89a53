//! Roles, their scopes and when they expire.

use std::net::IpAddr;

use backend::{
    Error,
    audit::Actor,
    organizations::{self, OrganizationType},
    users::{self, Scope},
};
use chrono::{Duration, Utc};
use uuid::Uuid;

use crate::{everything, logged, ourselves, user, while_open};

#[test]
fn a_role_applies_in_its_scope_and_a_global_one_everywhere() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let kind = OrganizationType::Partner;
        let acme = organizations::create(&mut conn, &ourselves(), "Acme", "acme", kind, ada).await?.id;
        let scopes = [
            Scope::Global,
            Scope::Org(acme),
            Scope::Cohort("spring".to_owned()),
            Scope::Track("spring".to_owned()),
        ];
        for held in &scopes {
            users::grant_role(&mut conn, &ourselves(), ada, "mentor", held, None).await?;
            for asked in &scopes {
                let may = users::permissions_of(&mut conn, ada, asked).await?;
                let counts = held == asked || *held == Scope::Global;
                assert_eq!(may.len(), if counts { 8 } else { 0 }, "{held:?} at {asked:?}");
                assert!(!counts || may.contains(&"update_portfolio".to_owned()) && may.is_sorted());
            }
            let elsewhere = Scope::Cohort("autumn".to_owned());
            let may = users::permissions_of(&mut conn, ada, &elsewhere).await?;
            assert_eq!(may.is_empty(), *held != Scope::Global);
            users::revoke_role(&mut conn, &ourselves(), ada, "mentor", held).await?;
            assert!(users::permissions_of(&mut conn, ada, held).await?.is_empty());
        }
        Ok(())
    });
}

#[test]
fn two_roles_add_up_and_no_permission_is_listed_twice() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let track = Scope::Track("data".to_owned());
        users::grant_role(&mut conn, &ourselves(), ada, "analyst", &Scope::Global, None).await?;
        users::grant_role(&mut conn, &ourselves(), ada, "mentor", &track, None).await?;
        // A mentor has one of the two permissions of an analyst.
        assert_eq!(users::permissions_of(&mut conn, ada, &track).await?.len(), 9);
        assert_eq!(users::permissions_of(&mut conn, ada, &Scope::Global).await?.len(), 2);
        users::suspend(&mut conn, &ourselves(), ada).await?;
        assert!(users::permissions_of(&mut conn, ada, &track).await?.is_empty());
        Ok(())
    });
}

#[test]
fn an_expired_role_gives_no_permission_and_can_be_granted_again() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let give = async |conn: &mut _, until| {
            users::grant_role(conn, &ourselves(), ada, "mentor", &Scope::Global, until).await
        };
        let past = give(&mut conn, Some(Utc::now() - Duration::seconds(1))).await;
        assert!(matches!(past, Err(Error::Expired)), "{past:?}");
        give(&mut conn, Some(Utc::now() + Duration::hours(1))).await?;
        assert_eq!(users::permissions_of(&mut conn, ada, &Scope::Global).await?.len(), 8);
        assert!(matches!(give(&mut conn, None).await, Err(Error::RoleHeld)));

        sqlx::query(
            "update user_roles set assigned_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'",
        )
        .execute(&mut *conn)
        .await?;
        assert!(users::permissions_of(&mut conn, ada, &Scope::Global).await?.is_empty());
        give(&mut conn, None).await?;
        assert_eq!(users::permissions_of(&mut conn, ada, &Scope::Global).await?.len(), 8);
        assert_eq!(
            (logged(&mut conn, "role_assigned").await, logged(&mut conn, "role_revoked").await),
            (2, 1)
        );
        Ok(())
    });
}

#[test]
fn of_two_grants_of_an_expired_role_at_once_one_is_refused() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let (actor, global) = (ourselves(), Scope::Global);
        let soon = Some(Utc::now() + Duration::hours(1));
        users::grant_role(&mut conn, &actor, ada, "mentor", &global, soon).await?;
        sqlx::query(
            "update user_roles set assigned_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'",
        )
        .execute(&mut *conn)
        .await?;
        let mut first = db.pool().begin().await?;
        users::grant_role(&mut first, &actor, ada, "mentor", &global, None).await?;
        let second = users::grant_role(&mut conn, &actor, ada, "mentor", &global, None);
        let second = while_open(db, first, second).await;
        assert!(matches!(second, Err(Error::RoleHeld)), "{second:?}");
        assert_eq!(
            (logged(&mut conn, "role_assigned").await, logged(&mut conn, "role_revoked").await),
            (2, 1)
        );
        Ok(())
    });
}

#[test]
fn an_unknown_role_or_user_is_refused_and_nothing_is_written() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        users::suspend(&mut conn, &ourselves(), bob).await?;
        users::grant_role(&mut conn, &ourselves(), ada, "mentor", &Scope::Track("a".to_owned()), None)
            .await?;
        let before = everything(&mut conn).await;
        let mut give = async |user, role, scope| {
            users::grant_role(&mut conn, &ourselves(), user, role, &scope, None).await.unwrap_err()
        };
        assert!(matches!(give(ada, "king", Scope::Global).await, Error::NoSuchRole));
        assert!(matches!(give(Uuid::now_v7(), "mentor", Scope::Global).await, Error::NoSuchUser));
        assert!(matches!(give(bob, "mentor", Scope::Global).await, Error::Status(_)));
        let nowhere = Scope::Org(Uuid::now_v7());
        assert!(matches!(give(ada, "mentor", nowhere).await, Error::NoSuchOrganization));
        for elsewhere in [Scope::Global, Scope::Cohort("a".to_owned()), Scope::Track("b".to_owned())] {
            let taken = users::revoke_role(&mut conn, &ourselves(), ada, "mentor", &elsewhere).await;
            assert!(matches!(taken, Err(Error::RoleNotHeld)), "{elsewhere:?}");
        }
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn the_log_records_who_granted_which_role_where() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        let actor = Actor::user(bob)
            .from_ip("192.0.2.7".parse::<IpAddr>()?)
            .with_user_agent("curl\0/8")
            .with_request_id("r-1");
        users::grant_role(&mut conn, &actor, ada, "mentor", &Scope::Cohort("spring".to_owned()), None)
            .await?;
        let line: String = sqlx::query_scalar(
            "select concat_ws(' ', user_id = $1, actor_type, actor_identifier = $1::text, resource_type, resource_id = $2::text,
                 host(ip_address), user_agent, request_id, changes ->> 'role', changes ->> 'scope', changes ->> 'target')
             from audit_logs where action = 'role_assigned'",
        )
        .bind(bob)
        .bind(ada)
        .fetch_one(&mut *conn)
        .await?;
        assert_eq!(line, "t user t user t 192.0.2.7 curl/8 r-1 mentor cohort spring");
        let giver: Uuid =
            sqlx::query_scalar("select assigned_by from user_roles").fetch_one(&mut *conn).await?;
        assert_eq!(giver, bob);
        Ok(())
    });
}
