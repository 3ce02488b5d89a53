//! The refusal to revert migrations that have no way back.

use std::fmt;

use crate::{Irreversible, MigrationId};

/// What keeps a database from going back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoWayBack {
    /// The applied migrations that have no way back, with their reasons; the one applied last comes first.
    pub blocked_by: Vec<(MigrationId, Irreversible)>,
    /// The migration of the app that it can go back to, and no further.
    pub furthest: Option<MigrationId>,
}

impl fmt::Display for NoWayBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.blocked_by.iter().map(|(id, _)| id.to_string()).collect();
        let have = if names.len() == 1 { "has" } else { "have" };
        write!(f, "{} {have} no way back; nothing was touched", names.join(", "))?;
        for (_, Irreversible { why, place }) in &self.blocked_by {
            write!(f, "\n  {place}: {why}")?;
        }
        f.write_str("\n  write what has to change as a new migration")
    }
}
