//! The refusal to revert migrations that have no way back.

use std::fmt;

use crate::{Irreversible, MigrationId};

/// How many migrations a message names.
const SHOWN: usize = 3;

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
        let shown = self.blocked_by.iter().take(SHOWN);
        let names: Vec<String> = shown.clone().map(|(id, _)| id.to_string()).collect();
        let have = if self.blocked_by.len() == 1 { "has" } else { "have" };
        let more = match self.blocked_by.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        write!(f, "{}{more} {have} no way back; nothing was touched", names.join(", "))?;
        for (_, Irreversible { why, place }) in shown {
            write!(f, "\n  {place}: {why}")?;
        }
        f.write_str("\n  write what has to change as a new migration")
    }
}
