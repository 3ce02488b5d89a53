//! How a ledger contradicts the files, and what to do about it.

use std::fmt;

use crate::{Direction, MigrationId, shell_word};

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
        /// How to apply it again, with the command.
        again: Option<String>,
    },
    /// The cargo package that brings the migrations no longer has the file that was applied.
    OtherVersion {
        /// What was applied: app, number and name, as far as sqlx keeps them.
        applied: String,
        /// The package.
        package: String,
        /// The file that the package has instead.
        instead: Option<String>,
    },
    /// Another migration with its number was applied, such as the one of another branch.
    OtherFile {
        /// The migration.
        id: MigrationId,
        /// The name in the ledger, with its number.
        applied_as: String,
        /// When that was applied, in the session's time zone, as ISO 8601.
        installed_on: String,
        /// What to do, each with its command.
        ways: Vec<String>,
    },
    /// Another table lists migrations as applied that the apps' own ledgers don't.
    Elsewhere {
        /// The table, qualified.
        table: String,
        /// The first of these migrations.
        id: MigrationId,
        /// How many there are.
        count: usize,
        /// What to do, each with its command.
        ways: Vec<String>,
    },
    /// It was applied, and its file is gone.
    FileGone {
        /// App, number and name, as far as sqlx keeps them.
        applied: String,
        /// When it was applied, in the session's time zone, as ISO 8601.
        installed_on: String,
        /// The path that its up file had.
        up: String,
    },
    /// It was not applied, though a later one of its app was.
    Late {
        /// The migration.
        id: MigrationId,
        /// The later one.
        after: MigrationId,
        /// What to do, each with its command.
        ways: Vec<String>,
    },
    /// It was applied, though one that it depends on was not.
    WithoutParent {
        /// The migration.
        id: MigrationId,
        /// The one that it depends on.
        parent: MigrationId,
        /// What to do, each with its command.
        ways: Vec<String>,
    },
    /// It was applied under another name.
    Renamed {
        /// The migration.
        id: MigrationId,
        /// The name in the ledger, with its number.
        applied_as: String,
        /// The commands that give its files that name.
        files: Vec<String>,
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
        /// What to do, each with its command.
        ways: Vec<String>,
    },
}

impl LedgerProblem {
    /// What kind it is, in a word or two.
    pub fn kind(&self) -> &'static str {
        match self {
            LedgerProblem::Edited { .. } | LedgerProblem::OtherVersion { instead: Some(_), .. } => "edited",
            LedgerProblem::OtherFile { .. } => "other file",
            LedgerProblem::Elsewhere { .. } => "elsewhere",
            LedgerProblem::FileGone { .. } | LedgerProblem::OtherVersion { instead: None, .. } => "file gone",
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
            LedgerProblem::OtherVersion { applied, package, instead: Some(path) } => format!(
                "{applied}: the locked version of package `{package}` has another file than the one that was applied: {path}"
            ),
            LedgerProblem::OtherVersion { applied, package, instead: None } => format!(
                "{applied} was applied, and the locked version of package `{package}` has no file with its number"
            ),
            LedgerProblem::Edited { id, path, .. } => {
                format!("{id}: {path} is not the file that was applied")
            }
            LedgerProblem::OtherFile { id, applied_as, installed_on, .. } => {
                format!(
                    "{applied_as} was applied ({installed_on}), and {id} is another migration with its number"
                )
            }
            LedgerProblem::Elsewhere { table, id, count: 1, .. } => {
                format!("table {table} lists {id} as applied, and the ledger of its app does not")
            }
            LedgerProblem::Elsewhere { table, id, count, .. } => format!(
                "table {table} lists {count} migrations as applied, {id} first, and the ledgers of their apps don't"
            ),
            LedgerProblem::FileGone { applied, installed_on, .. } => {
                format!("{applied} was applied ({installed_on}), and no file has its number")
            }
            LedgerProblem::Late { id, after, .. } => format!("{id} is not applied, and {after} is"),
            LedgerProblem::WithoutParent { id, parent, .. } => {
                format!("{id} is applied, and {parent}, which it depends on, is not")
            }
            LedgerProblem::Renamed { id, applied_as, .. } => format!("{id} was applied as {applied_as}"),
            LedgerProblem::Unfinished { id, direction: None, .. } => {
                format!("{id} is marked as failed in the ledger")
            }
            LedgerProblem::Unfinished { id, direction: Some(direction), .. } => {
                let doing = if *direction == Direction::Up { "applied" } else { "reverted" };
                format!(
                    "{id} was being {doing} when its run broke off; whether its statement ran is not known"
                )
            }
            LedgerProblem::UnknownTable { table, .. } => {
                format!("table {table} is in the schema of the ledgers, and no app of apps.toml has it")
            }
        }
    }

    /// What to do about it; several ways are on a line each.
    pub fn remedy(&self) -> String {
        match self {
            LedgerProblem::OtherVersion { package, .. } => in_lines(&[
                format!(
                    "go back to the version that had it: cargo update --package {package} --precise VERSION"
                ),
                "and report it to the authors of the package: what was published is applied somewhere"
                    .to_owned(),
            ]),
            LedgerProblem::Edited { path, again, .. } => {
                let back = format!(
                    "put it back (git checkout -- {}), and write the change as a new migration",
                    shell_word(path)
                );
                in_lines(&[back].into_iter().chain(again.clone()).collect::<Vec<_>>())
            }
            LedgerProblem::FileGone { up, .. } => in_lines(&[
                format!(
                    "restore the file, from where it was last: git log --all --oneline -- {}",
                    shell_word(up)
                ),
                "or, on a branch that has it, go back to before it".to_owned(),
            ]),
            LedgerProblem::Elsewhere { ways, .. }
            | LedgerProblem::OtherFile { ways, .. }
            | LedgerProblem::Late { ways, .. }
            | LedgerProblem::WithoutParent { ways, .. }
            | LedgerProblem::UnknownTable { ways, .. } => in_lines(ways),
            LedgerProblem::Renamed { applied_as, files, .. } => {
                format!("name its files {applied_as} again: {}", files.join(" && "))
            }
            LedgerProblem::Unfinished { direction: None, applied, pending, .. } => {
                format!("if it is applied: {applied}\n{:14}if it is not:     {pending}", "")
            }
            LedgerProblem::Unfinished { direction: Some(direction), applied, pending, .. } => {
                let (ran, not) =
                    if *direction == Direction::Up { (applied, pending) } else { (pending, applied) };
                format!("if it ran:     {ran}\n{:14}if it did not: {not}", "")
            }
        }
    }
}

/// Below the kind of problem, which `Display` prints before the first line.
fn in_lines(ways: &[String]) -> String {
    ways.join(&format!("\n{:14}", ""))
}

impl fmt::Display for LedgerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<11} {}\n{:14}{}", self.kind(), self.what(), "", self.remedy())
    }
}
