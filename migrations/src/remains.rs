//! What may be left of a script that did not succeed, and what the next run does about it.

use std::fmt;

/// What is left of a script that did not succeed. Its text follows what happened: `migration a/0001_x failed`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remains {
    /// Nothing: its transaction was undone.
    Nothing,
    /// Everything or nothing: the connection was lost during the commit.
    AllOrNothing,
    /// It runs without a transaction, and Postgres refused it; what it did before that may be there.
    Part,
    /// It runs without a transaction, and how far it came is unknown.
    Unknown {
        /// Whether the catalogue will show that to the next run.
        leaves_a_trace: bool,
    },
    /// An index that Postgres does not use.
    InvalidIndex {
        /// The index, qualified.
        index: String,
        /// Its table.
        table: String,
    },
}

impl fmt::Display for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remains::Nothing => f.write_str("; nothing of it was kept"),
            Remains::AllOrNothing => f.write_str(
                " during its commit; all of it was kept or nothing, and the next run reads in the ledger which",
            ),
            Remains::Part => f.write_str(
                "; it runs without a transaction, so a part of it may be there, and the next run repeats it",
            ),
            Remains::Unknown { leaves_a_trace: true } => f.write_str(
                "; it runs without a transaction, so it may be done, half done or not begun, and the next run \
                 finds out and completes it",
            ),
            Remains::Unknown { leaves_a_trace: false } => f.write_str(
                "; it runs without a transaction, so it may be done, half done or not begun, and the next run \
                 asks which",
            ),
            Remains::InvalidIndex { index, table } => write!(
                f,
                "; it runs without a transaction, and left index {index} on {table} invalid, which the next run \
                 drops and rebuilds"
            ),
        }
    }
}
