//! The states of an account.

use std::fmt;

use sqlx::Type;

/// The state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AccountStatus {
    /// Its address is not verified yet. Its owner may sign in.
    PendingVerification,
    /// Open.
    Active,
    /// Closed by us, until we open it again.
    Suspended,
    /// Closed by its owner.
    Deactivated,
    /// It has no owner any more. The row stays because other rows refer to it.
    Erased,
}

impl AccountStatus {
    /// Whether its owner may use it.
    pub fn is_active(self) -> bool {
        matches!(self, AccountStatus::PendingVerification | AccountStatus::Active)
    }
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AccountStatus::PendingVerification => "not verified yet",
            AccountStatus::Active => "active",
            AccountStatus::Suspended => "suspended",
            AccountStatus::Deactivated => "deactivated",
            AccountStatus::Erased => "erased",
        })
    }
}
