//! A file of SQL that runs as a whole.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::statements;

/// The text of an SQL file, and where it came from.
#[derive(Debug, Clone)]
pub struct Script {
    /// Path as the user types it: `migrations/billing/0001_initial.up.sql`.
    pub path: String,
    /// Its text, byte for byte.
    pub text: String,
    /// Whether it opens with `-- no-transaction`: one statement, run outside of any transaction.
    pub no_transaction: bool,
}

impl Script {
    /// Whether there is no statement in it, only comments.
    pub fn is_empty(&self) -> bool {
        statements::split(&self.text).is_empty()
    }

    /// The text as sqlx wants it. It is the repository's own, so there is nothing to escape.
    pub(crate) fn sql(&self) -> SqlStr {
        AssertSqlSafe(self.text.as_str()).into_sql_str()
    }
}
