//! Rows that the schema refuses, by the constraint that programs match on, and rows that it accepts.
//!
//! The statements are in `refused.sql` and `accepted.sql`. The tests run each one on the rows of `fixture.sql` and roll it
//! back.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, PgConnection, PgTransaction, postgres::PgDatabaseError};
use tests::with_database;

use super::query_catalogue;

const REFUSED: &str = include_str!("refused.sql");
const ACCEPTED: &str = include_str!("accepted.sql");

/// The placeholders in statements, and the ids that replace them.
const IDS: [(&str, &str); 8] = [
    ("{ada}", "'a0000000-0000-4000-8000-000000000001'"),
    ("{bob}", "'a0000000-0000-4000-8000-000000000002'"),
    ("{absent}", "'99999999-0000-4000-8000-000000000000'"),
    ("{acme}", "'c0000000-0000-4000-8000-000000000001'"),
    ("{key}", "'e0000000-0000-4000-8000-000000000001'"),
    ("{endpoint}", "'f0000000-0000-4000-8000-000000000001'"),
    ("{device}", "'d0000000-0000-4000-8000-000000000001'"),
    ("{event}", "'f0000000-0000-4000-8000-0000000000e1'"),
];

/// Runs statements, with ids in place of placeholders.
pub(super) async fn execute(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    let sql = IDS.iter().fold(sql.to_owned(), |sql, (name, id)| sql.replace(name, id));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map(drop)
}

/// Begins a transaction with the rows of the fixture. No test commits it.
pub(super) async fn fixture(conn: &mut PgConnection) -> PgTransaction<'_> {
    let mut transaction = conn.begin().await.unwrap();
    execute(&mut transaction, include_str!("fixture.sql")).await.unwrap();
    transaction
}

/// Runs statements and rolls them back. Returns the constraint that refused them, the SQLSTATE if no constraint did, or
/// `accepted`.
pub(super) async fn probe(conn: &mut PgConnection, sql: &str) -> String {
    let mut savepoint = conn.begin().await.unwrap();
    let answer = match execute(&mut savepoint, sql).await {
        Ok(()) => "accepted".to_owned(),
        Err(error) => refusal(&error).0,
    };
    savepoint.rollback().await.unwrap();
    answer
}

/// The constraint that refused a statement (or the SQLSTATE if no constraint did), and the SQLSTATE.
pub(super) fn refusal(error: &sqlx::Error) -> (String, String) {
    let error = error.as_database_error().unwrap().downcast_ref::<PgDatabaseError>();
    (error.constraint().unwrap_or(error.code()).to_owned(), error.code().to_owned())
}

/// The statements of a file, each with the comment above it.
fn statements(file: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut comment = "";
    for line in file.lines().filter(|line| !line.is_empty()) {
        match (line.strip_prefix("-- "), found.last_mut()) {
            (Some(text), _) => comment = text,
            (None, Some((_, statement))) if line.starts_with(' ') => *statement += &format!("\n{line}"),
            (None, _) => found.push((comment, line.to_owned())),
        }
    }
    found
}

/// Runs every statement of a file, and expects the answer that `expected` derives from the comment above it.
#[track_caller]
fn check(file: &'static str, expected: impl Fn(&'static str) -> &'static str) {
    with_database(async |db| {
        let mut conn = db.pool().acquire().await?;
        let mut transaction = fixture(&mut conn).await;
        let mut wrong = Vec::new();
        for (comment, statement) in statements(file) {
            let answer = probe(&mut transaction, &statement).await;
            if answer != expected(comment) {
                wrong.push(format!("{answer}, not {}: {statement}", expected(comment)));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}

#[test]
fn the_schema_refuses_bad_rows_by_the_constraint_that_they_break() {
    check(REFUSED, |constraint| constraint);
}

#[test]
fn the_schema_accepts_good_rows() {
    check(ACCEPTED, |_why| "accepted");
}

#[test]
fn every_rule_has_a_bad_row() {
    with_database(async |db| {
        let rules = "
            select k.conname::text from pg_constraint k join tables t on t.oid = k.conrelid
            where k.contype not in ('p', 'n')
            union
            select i.indexrelid::regclass::text from pg_index i join tables t on t.oid = i.indrelid
            where i.indisunique and not i.indisprimary";
        let rules: Vec<(String,)> = query_catalogue(&mut *db.pool().acquire().await?, rules).await;
        let probed: BTreeSet<&str> = statements(REFUSED).into_iter().map(|(rule, _)| rule).collect();
        let untested: Vec<&str> =
            rules.iter().map(|(rule,)| rule.as_str()).filter(|rule| !probed.contains(rule)).collect();
        assert!(!rules.is_empty());
        assert!(untested.is_empty(), "no bad row in tests/it/schema/refused.sql for {untested:?}");
        Ok(())
    });
}
