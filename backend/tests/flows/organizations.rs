//! Organizations, their members, their owner.

use backend::{
    Error,
    organizations::{self, MemberRole, OrganizationType},
    users,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{everything, ourselves, user, while_open};

const SPONSOR: OrganizationType = OrganizationType::Sponsor;

async fn acme(conn: &mut PgConnection, owner: Uuid) -> Uuid {
    organizations::create(conn, &ourselves(), "Acme", "acme", SPONSOR, owner).await.unwrap().id
}

async fn admins(conn: &mut PgConnection, organization: Uuid) -> Vec<Uuid> {
    let members = organizations::members(conn, organization).await.unwrap();
    members
        .into_iter()
        .filter(|member| member.role == MemberRole::Admin)
        .map(|member| member.user_id)
        .collect()
}

async fn owner(conn: &mut PgConnection, organization: Uuid) -> Option<Uuid> {
    organizations::find_by_id(conn, organization).await.unwrap().owner_id
}

/// Like organizations from before there were owners.
async fn without_owner(conn: &mut PgConnection, organization: Uuid) {
    sqlx::query("update organizations set owner_id = null where id = $1")
        .bind(organization)
        .execute(conn)
        .await
        .unwrap();
}

#[test]
fn the_creator_of_an_organization_owns_it_and_is_its_first_admin() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let ada = user(&mut conn, "ada").await.id;
        let acme = acme(&mut conn, ada).await;
        assert_eq!(owner(&mut conn, acme).await, Some(ada));
        assert_eq!(admins(&mut conn, acme).await, [ada]);
        Ok(())
    });
}

#[test]
fn an_invalid_organization_is_refused_and_nothing_is_written() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        acme(&mut conn, ada).await;
        users::suspend(&mut conn, &ourselves(), bob).await?;
        let before = everything(&mut conn).await;
        let mut create = async |name, slug, owner| {
            organizations::create(&mut conn, &ourselves(), name, slug, SPONSOR, owner).await.unwrap_err()
        };
        assert!(matches!(create("Other", "acme", ada).await, Error::SlugTaken));
        for slug in ["", "Acme", "a--b", "-a", "a b", "a\0"] {
            assert!(matches!(create("Other", slug, ada).await, Error::SlugInvalid), "{slug}");
        }
        for name in ["", "  ", "a\0"] {
            assert!(matches!(create(name, "other", ada).await, Error::NameInvalid), "{name:?}");
        }
        assert!(matches!(create("Other", "other", Uuid::now_v7()).await, Error::NoSuchUser));
        assert!(matches!(create("Other", "other", bob).await, Error::Status(_)));
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn members_are_added_changed_and_removed() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        let acme = acme(&mut conn, ada).await;
        organizations::add_member(&mut conn, &ourselves(), acme, bob, MemberRole::Viewer).await?;
        let twice = organizations::add_member(&mut conn, &ourselves(), acme, bob, MemberRole::Admin).await;
        assert!(matches!(twice, Err(Error::MemberAlready)));
        organizations::change_role(&mut conn, &ourselves(), acme, bob, MemberRole::Admin).await?;
        assert_eq!(admins(&mut conn, acme).await, [ada, bob]);
        organizations::remove_member(&mut conn, &ourselves(), acme, bob).await?;
        assert_eq!(organizations::members(&mut conn, acme).await?.len(), 1);
        let before = everything(&mut conn).await;
        let gone = organizations::remove_member(&mut conn, &ourselves(), acme, bob).await;
        assert!(matches!(gone, Err(Error::NotMember)));
        let gone = organizations::change_role(&mut conn, &ourselves(), acme, bob, MemberRole::Member).await;
        assert!(matches!(gone, Err(Error::NotMember)));
        let nowhere =
            organizations::add_member(&mut conn, &ourselves(), Uuid::now_v7(), bob, MemberRole::Member).await;
        assert!(matches!(nowhere, Err(Error::NoSuchOrganization)));
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn the_owner_and_the_last_admin_stay() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        let acme = acme(&mut conn, ada).await;
        organizations::add_member(&mut conn, &ourselves(), acme, bob, MemberRole::Admin).await?;
        let stays = organizations::remove_member(&mut conn, &ourselves(), acme, ada).await;
        assert!(matches!(stays, Err(Error::IsOwner)));
        let stays = organizations::change_role(&mut conn, &ourselves(), acme, ada, MemberRole::Member).await;
        assert!(matches!(stays, Err(Error::IsOwner)));

        without_owner(&mut conn, acme).await;
        organizations::remove_member(&mut conn, &ourselves(), acme, ada).await?;
        let before = everything(&mut conn).await;
        let stays = organizations::remove_member(&mut conn, &ourselves(), acme, bob).await;
        assert!(matches!(stays, Err(Error::LastAdmin)));
        let stays = organizations::change_role(&mut conn, &ourselves(), acme, bob, MemberRole::Viewer).await;
        assert!(matches!(stays, Err(Error::LastAdmin)));
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn of_two_admins_who_remove_each_other_at_once_one_stays() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        let acme = acme(&mut conn, ada).await;
        organizations::add_member(&mut conn, &ourselves(), acme, bob, MemberRole::Admin).await?;
        without_owner(&mut conn, acme).await;
        let actor = ourselves();
        let mut first = db.pool().begin().await?;
        organizations::remove_member(&mut first, &actor, acme, bob).await?;
        let second = organizations::remove_member(&mut conn, &actor, acme, ada);
        let second = while_open(db, first, second).await;
        assert!(matches!(second, Err(Error::LastAdmin)), "{second:?}");
        assert_eq!(admins(&mut conn, acme).await, [ada]);
        Ok(())
    });
}

#[test]
fn a_new_owner_becomes_an_admin_and_the_old_one_stays_one() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        let cleo = user(&mut conn, "cleo").await.id;
        let acme = acme(&mut conn, ada).await;
        organizations::add_member(&mut conn, &ourselves(), acme, bob, MemberRole::Viewer).await?;
        organizations::transfer_ownership(&mut conn, &ourselves(), acme, Some(ada), bob).await?;
        organizations::transfer_ownership(&mut conn, &ourselves(), acme, Some(bob), cleo).await?;
        assert_eq!(owner(&mut conn, acme).await, Some(cleo));
        assert_eq!(admins(&mut conn, acme).await, [ada, bob, cleo]);
        let before = everything(&mut conn).await;
        let not_hers = organizations::transfer_ownership(&mut conn, &ourselves(), acme, Some(ada), ada).await;
        assert!(matches!(not_hers, Err(Error::NotOwner)));
        let unknown =
            organizations::transfer_ownership(&mut conn, &ourselves(), acme, Some(cleo), Uuid::now_v7())
                .await;
        assert!(matches!(unknown, Err(Error::NoSuchUser)));
        assert_eq!(everything(&mut conn).await, before);
        Ok(())
    });
}

#[test]
fn of_two_transfers_at_once_one_is_refused() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        let cleo = user(&mut conn, "cleo").await.id;
        let (acme, actor) = (acme(&mut conn, ada).await, ourselves());
        let mut first = db.pool().begin().await?;
        organizations::transfer_ownership(&mut first, &actor, acme, Some(ada), bob).await?;
        let second = organizations::transfer_ownership(&mut conn, &actor, acme, Some(ada), cleo);
        let second = while_open(db, first, second).await;
        assert!(matches!(second, Err(Error::NotOwner)), "{second:?}");
        assert_eq!(owner(&mut conn, acme).await, Some(bob));
        assert_eq!(admins(&mut conn, acme).await, [ada, bob]);
        Ok(())
    });
}

#[test]
fn a_member_is_not_removed_while_becoming_the_owner() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let (ada, bob) = (user(&mut conn, "ada").await.id, user(&mut conn, "bob").await.id);
        let (acme, actor) = (acme(&mut conn, ada).await, ourselves());
        organizations::add_member(&mut conn, &actor, acme, bob, MemberRole::Member).await?;
        let mut transfer = db.pool().begin().await?;
        organizations::transfer_ownership(&mut transfer, &actor, acme, Some(ada), bob).await?;
        let removed = organizations::remove_member(&mut conn, &actor, acme, bob);
        assert!(matches!(while_open(db, transfer, removed).await, Err(Error::IsOwner)));
        assert_eq!(admins(&mut conn, acme).await, [ada, bob]);
        Ok(())
    });
}
