//! A file of SQL that runs as a whole.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::statements;

/// Which way a migration runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Its up file.
    Up,
    /// Its down file.
    Down,
}

/// The text of an SQL file, and where it came from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Script {
    /// Path as the user types it: `migrations/billing/0001_initial.up.sql`.
    pub path: String,
    /// Its text, byte for byte.
    pub text: String,
    /// Whether it opens with `-- no-transaction`: one statement, run outside of any transaction.
    pub no_transaction: bool,
}

impl Script {
    /// Whether it has only comments, and no statement.
    pub fn is_empty(&self) -> bool {
        statements::split(&self.text).next().is_none()
    }

    /// The text as sqlx takes it. The repository's own SQL is trusted, so there is nothing to escape.
    pub(crate) fn sql(&self) -> SqlStr {
        AssertSqlSafe(self.text.as_str()).into_sql_str()
    }
}
