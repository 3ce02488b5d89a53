//! SQL that the runner can't run safely.

use crate::{
    Place, Problem, Script,
    statements::{self, ConcurrentIndex},
};

/// Refuses what would break the runner's promises. A `commit` would keep half of a file when the rest of it fails, and
/// would make a rehearsal of the seeds real.
pub(crate) fn refuse(script: &Script, problems: &mut Vec<Problem>) {
    let built = statements::concurrent_index(&script.text);
    if script.no_transaction && built == ConcurrentIndex::Unnamed {
        let message = "name the index, so that the next run finds what a failed one left of it".to_owned();
        problems.push(Problem::Content { place: Place::file(&script.path), message });
    }
    if let Some((word, line)) = statements::transaction_control(&script.text) {
        let message =
            format!("`{word}` would end the transaction that the runner puts around the file; remove it");
        problems.push(Problem::Content { place: Place::line(&script.path, line), message });
    }
}
