//! How a ledger contradicts the files, and what to do about it.

use std::fmt;

use crate::{Direction, MigrationId};

/// One way in which the ledger contradicts the files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerProblem {
    /// The file is not the one that was applied.
    Edited {
        /// The migration.
        id: MigrationId,
        /// Its up file.
        path: String,
    },
    /// It was applied, and its file is gone.
    FileGone {
        /// App, number and name, as far as sqlx keeps them.
        applied: String,
        /// When it was applied, in the session's time zone, as ISO 8601.
        installed_on: String,
    },
    /// It was not applied, though a later one of its app was.
    Late {
        /// The migration.
        id: MigrationId,
        /// The later one.
        after: MigrationId,
    },
    /// It was applied, though one that it depends on was not.
    WithoutParent {
        /// The migration.
        id: MigrationId,
        /// The one that it depends on.
        parent: MigrationId,
    },
    /// It was applied under another name.
    Renamed {
        /// The migration.
        id: MigrationId,
        /// The name in the ledger, with its number.
        applied_as: String,
    },
    /// Its row says that it did not succeed, and nothing shows what is true.
    Unfinished {
        /// The migration.
        id: MigrationId,
        /// Which way it ran without a transaction when that broke off; `None` if no run of ours leaves such a row.
        direction: Option<Direction>,
        /// The command that records it as applied.
        applied: String,
        /// The command that records it as pending.
        pending: String,
    },
    /// A table in the ledger's schema belongs to no app.
    UnknownTable {
        /// The table, qualified.
        table: String,
    },
}

impl LedgerProblem {
    /// What kind it is, in a word or two.
    pub fn kind(&self) -> &'static str {
        match self {
            LedgerProblem::Edited { .. } => "edited",
            LedgerProblem::FileGone { .. } => "file gone",
            LedgerProblem::Late { .. } => "late",
            LedgerProblem::WithoutParent { .. } => "impossible",
            LedgerProblem::Renamed { .. } => "renamed",
            LedgerProblem::Unfinished { .. } => "unfinished",
            LedgerProblem::UnknownTable { .. } => "unknown",
        }
    }

    /// What is wrong, on one line.
    pub fn what(&self) -> String {
        match self {
            LedgerProblem::Edited { id, path } => format!("{id}: {path} is not the file that was applied"),
            LedgerProblem::FileGone { applied, installed_on } => {
                format!("{applied} was applied ({installed_on}), and no file has its number")
            }
            LedgerProblem::Late { id, after } => format!("{id} is not applied, and {after} is"),
            LedgerProblem::WithoutParent { id, parent } => {
                format!("{id} is applied, and {parent}, which it depends on, is not")
            }
            LedgerProblem::Renamed { id, applied_as } => format!("{id} was applied as {applied_as}"),
            LedgerProblem::Unfinished { id, direction: None, .. } => {
                format!("{id} is marked as failed in the ledger")
            }
            LedgerProblem::Unfinished { id, direction: Some(direction), .. } => {
                let doing = if *direction == Direction::Up { "applied" } else { "reverted" };
                format!(
                    "{id} was being {doing} when its run broke off; whether its statement ran is not known"
                )
            }
            LedgerProblem::UnknownTable { table } => {
                format!("table {table} is in the schema of the ledgers, and no app of apps.toml has it")
            }
        }
    }

    /// What to do about it, on one line.
    pub fn remedy(&self) -> String {
        match self {
            LedgerProblem::Edited { path, .. } => {
                format!("put it back (git checkout -- {path}), and write the change as a new migration")
            }
            LedgerProblem::FileGone { .. } => {
                "restore the file, or switch to the branch that has it and migrate back there".to_owned()
            }
            LedgerProblem::Late { id, .. } => {
                format!("give it the next free number of `{}`, in the names of all its files", id.app)
            }
            LedgerProblem::WithoutParent { id, .. } => {
                format!("the ledger or the head of {id} was edited by hand; put that right first")
            }
            LedgerProblem::Renamed { applied_as, .. } => format!("name its files {applied_as} again"),
            LedgerProblem::Unfinished { direction: None, applied, pending, .. } => {
                format!("if it is applied: {applied}\n{:14}if it is not:     {pending}", "")
            }
            LedgerProblem::Unfinished { direction: Some(direction), applied, pending, .. } => {
                let (ran, not) =
                    if *direction == Direction::Up { (applied, pending) } else { (pending, applied) };
                format!("if it ran:     {ran}\n{:14}if it did not: {not}", "")
            }
            LedgerProblem::UnknownTable { .. } => "restore the app's entry, or drop the table".to_owned(),
        }
    }
}

impl fmt::Display for LedgerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<11} {}\n{:14}{}", self.kind(), self.what(), "", self.remedy())
    }
}
