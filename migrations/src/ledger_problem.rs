//! How a ledger contradicts the files, and what to do about it.

use std::fmt;

use crate::MigrationId;

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
    /// Its row is marked as failed.
    Dirty {
        /// The migration.
        id: MigrationId,
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
            LedgerProblem::Dirty { .. } => "failed",
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
            LedgerProblem::Dirty { id } => format!("{id} is marked as failed"),
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
            LedgerProblem::Dirty { .. } => {
                "look at the database, then set `success` in its ledger row to what is true".to_owned()
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
