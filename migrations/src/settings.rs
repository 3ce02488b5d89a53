//! How a session behaves.

use std::time::Duration;

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and write.
    Write,
    /// Read only; Postgres enforces it.
    ReadOnly,
}

/// How a session behaves. Starts from [`Settings::default`]; each method changes one setting.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) access: Access,
    pub(crate) application_name: String,
    pub(crate) migration_lock_timeout: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) statement_timeout: Duration,
}

impl Default for Settings {
    /// Writes, as application `migrations`, with 30 seconds for the migration lock, 3 seconds for a table's lock and
    /// 15 minutes for a statement.
    fn default() -> Self {
        Settings {
            access: Access::Write,
            application_name: "migrations".to_owned(),
            migration_lock_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(15 * 60),
        }
    }
}

impl Settings {
    /// What the session may do.
    #[must_use]
    pub fn access(self, access: Access) -> Self {
        Settings { access, ..self }
    }

    /// The session's name in `pg_stat_activity`.
    #[must_use]
    pub fn application_name(self, name: impl Into<String>) -> Self {
        Settings { application_name: name.into(), ..self }
    }

    /// How long it waits for the migration lock; zero is one try.
    #[must_use]
    pub fn migration_lock_timeout(self, timeout: Duration) -> Self {
        Settings { migration_lock_timeout: timeout, ..self }
    }

    /// How long a statement waits for a table's lock before its migration is undone and tried again; zero means no limit.
    #[must_use]
    pub fn lock_timeout(self, timeout: Duration) -> Self {
        Settings { lock_timeout: timeout, ..self }
    }

    /// How long one statement may take; zero means no limit.
    #[must_use]
    pub fn statement_timeout(self, timeout: Duration) -> Self {
        Settings { statement_timeout: timeout, ..self }
    }
}
