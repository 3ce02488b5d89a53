//! SQL that the runner can't run safely.

use std::ops::Range;

use crate::{
    Place, Problem, Script,
    lone::{Lone, NewIndex},
    psql::{self, Psql},
    statements::{self, line_at},
};

/// Refuses what would break the runner's promises. A `commit` would keep half of a file when the rest of it fails, and
/// would make a rehearsal of the seeds real.
pub(crate) fn refuse(script: &Script, problems: &mut Vec<Problem>) {
    let statements: Vec<Range<usize>> = statements::split(&script.text).collect();
    // What follows it may be rows and not SQL.
    if let Some(Psql { line, message }) = psql::first_line_for_psql(&script.text, &statements) {
        problems.push(Problem::Content { place: Place::line(&script.path, line), message });
        return;
    }
    if script.no_transaction {
        refuse_outside(script, statements.get(1), problems);
    }
    if let Some((word, line)) = statements::transaction_control(&script.text, &statements) {
        let message =
            format!("`{word}` would end the transaction that the runner puts around the file; remove it");
        problems.push(Problem::Content { place: Place::line(&script.path, line), message });
    }
}

/// What a file without a transaction may not have.
fn refuse_outside(script: &Script, second: Option<&Range<usize>>, problems: &mut Vec<Problem>) {
    if let Lone::CreateIndex(NewIndex { name: None, .. }) = Lone::read(&script.text) {
        let message = "name the index, so that the next run finds what a failed one left of it".to_owned();
        problems.push(Problem::Content { place: Place::file(&script.path), message });
    }
    if let Some(second) = second {
        let place = Place::line(&script.path, line_at(&script.text, second.start));
        let message = "a file that begins with `-- no-transaction` has one statement, since a run that breaks off between two \
                       could not be completed; move this one to a migration of its own"
            .to_owned();
        problems.push(Problem::Content { place, message });
    }
}
