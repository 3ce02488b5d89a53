//! Finds the rows of a ledger whose files have other numbers now. The rows follow their files.

use migrations::{Applied, Ledger, Migration, MigrationId, MovedRow, Project};
use sha2::{Digest, Sha384};

use crate::verbs::renumber::moves::{Move, mend_head};

/// The rows of a ledger that belong to other numbers.
#[derive(Default)]
pub(super) struct Followers<'p> {
    /// Rows whose file is certain.
    pub(super) rows: Vec<MovedRow<'p>>,
    /// Migrations that were edited since they ran, as the ledger names them.
    pub(super) edited: Vec<MigrationId>,
}

/// Compares the ledger with the project after these moves, and after earlier ones that the ledger has missed. A row belongs to
/// the file whose text ran, whatever it was called. If that text named a migration that was moved, it had the old number.
pub(super) fn followers<'p>(project: &'p Project, ledger: &Ledger, moves: &[Move]) -> Followers<'p> {
    let found: Vec<(&Applied, &Migration)> =
        ledger.applied().filter_map(|row| Some((row, migration_of(project, row, moves)?))).collect();
    let has_moved = |row: &Applied, migration: &Migration| row.version != migration.number;
    let moved = found.iter().filter(|(row, migration)| has_moved(row, migration));
    let back: Vec<Move> = moved
        .map(|(row, migration)| Move {
            from: migration.id.clone(),
            to: migration.id.with_number(row.version),
        })
        .collect();
    let mut followers = Followers::default();
    for (row, migration) in found {
        let old_text = mend_head(&migration.up.text, &back);
        let ran_before = old_text.is_some_and(|text| Sha384::digest(text).as_slice() == row.checksum);
        let ran = migration.checksum() == row.checksum;
        if ran_before || (ran && has_moved(row, migration)) {
            followers.rows.push(MovedRow { version: row.version, migration });
        } else if !ran && has_moved(row, migration) {
            followers.edited.push(id(row));
        }
    }
    followers
}

fn id(row: &Applied) -> MigrationId {
    MigrationId { app: row.app.clone(), name: row.name() }
}

/// The migration that a row seems to record: the one that was moved from there, else the one with its text, else the one with
/// its name but for the number. Of several, the one that still has its number.
fn migration_of<'p>(project: &'p Project, row: &Applied, moves: &[Move]) -> Option<&'p Migration> {
    let row_id = id(row);
    let moved = moves.iter().find(|moved| moved.from == row_id).map(|moved| &moved.to);
    let was_moved = |it: &&Migration| moved == Some(&it.id);
    let has_text = |it: &&Migration| it.checksum() == row.checksum;
    let has_name = |it: &&Migration| it.description() == row.description;
    let choose = |matches: &dyn Fn(&&Migration) -> bool| {
        let found: Vec<&Migration> = project.migrations_of(&row.app).filter(matches).collect();
        let same_number = || found.iter().find(|it| it.number == row.version);
        if let [only] = *found { Some(only) } else { same_number().copied() }
    };
    choose(&was_moved)
        .or_else(|| choose(&|it| has_text(it) && has_name(it)))
        .or_else(|| choose(&has_text))
        .or_else(|| choose(&has_name))
}
