//! Subscriptions, which a database does not go away with: each of these pairs drops its own at the end.

use diff::Renames;
use sqlx::Connection;

use super::corpus::{Seen, turned};
use crate::catalogue::{connect, run};

/// Where no server is, so that a script which connects fails.
const NOWHERE: &str = "host=127.0.0.1 port=1 dbname=nowhere password=it''s<&>";

/// Pairs of schemas.
const PAIRS: &[(&str, &str)] = &[
    ("", "create subscription s connection 'NOWHERE' publication p, \"Q\" with (connect = false);"),
    (
        "create subscription s connection 'NOWHERE' publication p with (connect = false);",
        "create subscription s connection 'NOWHERE user=other' publication q with (connect = false, slot_name = none, binary = true, streaming = true, synchronous_commit = remote_apply, disable_on_error = true);
         comment on subscription s is 'another';",
    ),
    (
        "create subscription s connection 'NOWHERE' publication p with (connect = false, slot_name = none);",
        "create subscription s connection 'NOWHERE' publication p with (connect = false, two_phase = true, slot_name = 't');",
    ),
];

#[test]
fn subscriptions_are_turned_into_each_other() {
    let mut all = String::new();
    tests::empty().run(async |_| {
        for (old, new) in PAIRS {
            let (old, new) = (loaded(old).await, loaded(new).await);
            for (from, to, way) in [(&old, &new, "there"), (&new, &old, "back")] {
                let schema = &from.schema;
                if let Err(mistake) = turned(&schema.db, &schema.catalogue, to, Renames::default()).await {
                    all += &format!("{way}: {mistake}\n");
                }
            }
            for seen in [old, new] {
                let mut conn = connect(&seen.schema.db).await;
                let drop = "alter subscription s set (slot_name = none);\ndrop subscription s;";
                // One of the two may have none.
                let _ = run(&mut conn, drop).await;
                conn.close().await?;
            }
        }
        Ok(())
    });
    assert!(all.is_empty(), "{all}");
}

async fn loaded(sql: &str) -> Seen {
    let db = tests::empty().database().await;
    let mut conn = connect(&db).await;
    run(&mut conn, &sql.replace("NOWHERE", NOWHERE)).await.unwrap();
    conn.close().await.unwrap();
    Seen::in_database(db).await
}
