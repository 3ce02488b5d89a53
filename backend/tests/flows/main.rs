//! What people do with the three apps, and what attackers try. Each flow has a database of its own.

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]

mod audit;
mod credentials;
mod erasure;
mod lifecycle;
mod organizations;
mod password_change;
mod progress;
mod registration;
mod roles;
mod sessions;
mod stock;
mod superuser;

use backend::{
    audit::Actor,
    users::{self, Device, Registration, User},
};
use sqlx::{PgConnection, Postgres, Transaction};
use tests::TestDatabase;

const PASSWORD: &str = "an engine of 4 wheels";
const LAPTOP: Device<'static> = Device { fingerprint: "f1n9e4", name: Some("Laptop"), kind: Some("desktop") };

fn ourselves() -> Actor {
    Actor::system("test")
}

/// Registers a user as `name`@example.org.
async fn user(conn: &mut PgConnection, name: &str) -> User {
    let email = format!("{name}@example.org");
    let registration = Registration { email: &email, username: name, password: PASSWORD };
    users::register(conn, &ourselves(), registration).await.unwrap()
}

/// Runs something while another transaction is open after its work. That transaction commits as soon as a session waits for
/// it, or after a moment without one.
async fn while_open<T>(
    db: &TestDatabase,
    first: Transaction<'static, Postgres>,
    second: impl Future<Output = T>,
) -> T {
    tokio::pin!(second);
    tokio::select! {
        done = &mut second => {
            first.commit().await.unwrap();
            done
        }
        () = somebody_waits(db) => {
            first.commit().await.unwrap();
            second.await
        }
    }
}

async fn somebody_waits(db: &TestDatabase) {
    let mut conn = db.pool().acquire().await.unwrap();
    let waiting = "select exists (select from pg_locks join pg_stat_activity using (pid)
                   where not granted and datname = current_database())";
    while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut *conn).await.unwrap() {}
}

/// How many lines of the audit log record this.
async fn logged(conn: &mut PgConnection, action: &str) -> i64 {
    let lines = "select count(*) from audit_logs where action = $1";
    sqlx::query_scalar(lines).bind(action).fetch_one(conn).await.unwrap()
}

/// The rows of every table, one text per table.
async fn everything(conn: &mut PgConnection) -> Vec<(String, String)> {
    let tables = "select relname::text, query_to_xml(format('select t::text as t from public.%I as t order by 1', relname),
                      false, true, '')::text
                  from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
                  order by 1";
    sqlx::query_as(tables).fetch_all(conn).await.unwrap()
}
