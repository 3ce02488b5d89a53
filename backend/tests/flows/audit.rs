//! The audit log: a change and its line are committed together, or not at all.

use backend::{
    Error,
    audit::Actor,
    organizations::{self, MemberRole, OrganizationType},
    progress::{self, Mode, ProgressStatus, Report},
    users::{self, Registration, Rotation, Scope, SignIn},
};
use sqlx::{Executor, PgConnection};

use crate::{LAPTOP, PASSWORD, everything, ourselves, user};

const REPORT: Report<'static> = Report {
    content_type: "lesson",
    content_id: "loops",
    status: ProgressStatus::InProgress,
    completion_percentage: 50,
    score: None,
};

async fn lines(conn: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from audit_logs").fetch_one(conn).await.unwrap()
}

/// Runs every change that there is, and passes each outcome to a check.
async fn every_change(
    conn: &mut PgConnection,
    mut look: impl AsyncFnMut(&mut PgConnection, &str, Result<(), Error>),
) {
    let we = ourselves();
    let mut people = Vec::new();
    for name in ["ada", "bob", "cleo", "dora"] {
        people.push(user(conn, name).await.id);
    }
    let [ada, bob, cleo, dora] = people[..] else { unreachable!() };
    let kind = OrganizationType::Sponsor;
    let acme = organizations::create(conn, &we, "Acme", "acme", kind, ada).await.unwrap().id;
    organizations::add_member(conn, &we, acme, bob, MemberRole::Admin).await.unwrap();
    organizations::add_member(conn, &we, acme, dora, MemberRole::Viewer).await.unwrap();
    users::grant_role(conn, &we, bob, "mentor", &Scope::Global, None).await.unwrap();
    let session = users::open_session(conn, &we, bob, &LAPTOP).await.unwrap();
    let spare = users::open_session(conn, &we, bob, &LAPTOP).await.unwrap();
    let used = users::open_session(conn, &we, bob, &LAPTOP).await.unwrap();
    assert!(matches!(users::rotate_session(conn, &we, &used.token).await, Ok(Rotation::Rotated(_))));

    look(conn, "", Ok(())).await;
    let registration = Registration { email: "eve@example.org", username: "eve", password: PASSWORD };
    let done = users::register(conn, &we, registration).await.map(drop);
    look(conn, "register", done).await;
    let done = users::sign_in(conn, &Actor::anonymous(), "ada@example.org", PASSWORD).await;
    look(conn, "sign in", done.map(|it| assert!(matches!(it, SignIn::Welcome(_))))).await;
    let done = users::sign_in(conn, &Actor::anonymous(), "ada@example.org", "wrong").await;
    look(conn, "refuse", done.map(|it| assert!(matches!(it, SignIn::Refused)))).await;
    let done = users::activate(conn, &we, ada).await.map(drop);
    look(conn, "activate", done).await;
    let done = users::suspend(conn, &we, cleo).await.map(drop);
    look(conn, "suspend", done).await;
    let done = users::grant_role(conn, &we, ada, "mentor", &Scope::Global, None).await.map(drop);
    look(conn, "grant", done).await;
    let done = users::revoke_role(conn, &we, bob, "mentor", &Scope::Global).await;
    look(conn, "revoke", done).await;
    let done = users::open_session(conn, &we, ada, &LAPTOP).await.map(drop);
    look(conn, "open", done).await;
    let done = users::rotate_session(conn, &we, &session.token).await;
    look(conn, "rotate", done.map(|it| assert!(matches!(it, Rotation::Rotated(_))))).await;
    let done = users::rotate_session(conn, &we, &used.token).await;
    look(conn, "reuse", done.map(|it| assert!(matches!(it, Rotation::Reused)))).await;
    let done = users::revoke_session(conn, &we, spare.session.id).await;
    look(conn, "end", done).await;
    let done = organizations::create(conn, &we, "Other", "other", kind, ada).await.map(drop);
    look(conn, "create", done).await;
    let done = organizations::remove_member(conn, &we, acme, dora).await;
    look(conn, "remove", done).await;
    let done = organizations::change_role(conn, &we, acme, bob, MemberRole::Viewer).await;
    look(conn, "change", done).await;
    let done = organizations::transfer_ownership(conn, &we, acme, Some(ada), bob).await;
    look(conn, "transfer", done).await;
    let done = progress::record(conn, &we, ada, REPORT, Mode::Forward).await.map(drop);
    look(conn, "record", done).await;
    let done = users::erase(conn, &we, dora).await.map(drop);
    look(conn, "erase", done).await;
}

#[test]
fn every_change_leaves_one_line() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let mut before = 0;
        let mut changes = 0;
        every_change(&mut conn, async |conn, change, done| {
            done.unwrap();
            let now = lines(conn).await;
            if !change.is_empty() {
                changes += 1;
                assert_eq!(now, before + 1, "{change}");
            }
            before = now;
        })
        .await;
        assert_eq!(changes, 17);
        Ok(())
    });
}

#[test]
fn a_change_whose_line_can_not_be_written_does_not_happen() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let mut before = Vec::new();
        every_change(&mut conn, async |conn, change, done| {
            if change.is_empty() {
                conn.execute("alter table audit_logs add constraint full_log check (false) not valid")
                    .await
                    .unwrap();
                before = everything(conn).await;
            } else {
                assert!(matches!(done, Err(Error::Refused(rule)) if rule == "full_log"), "{change}");
                assert_eq!(everything(conn).await, before, "{change}");
            }
        })
        .await;
        Ok(())
    });
}

#[test]
fn no_line_names_a_person() {
    tests::with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        every_change(&mut conn, async |_, _, done| done.unwrap()).await;
        let log: String = sqlx::query_scalar("select string_agg(audit_logs::text, e'\\n') from audit_logs")
            .fetch_one(&mut *conn)
            .await?;
        for name in ["ada", "bob", "cleo", "dora", "eve", "example.org", "$argon2"] {
            // A uuid may hold any three hexadecimal letters.
            let named = log
                .split(|c: char| !(c.is_alphanumeric() || "-.$".contains(c)))
                .any(|word| word.contains(name) && word.len() < 32);
            assert!(!named, "{name} in {log}");
        }
        Ok(())
    });
}
