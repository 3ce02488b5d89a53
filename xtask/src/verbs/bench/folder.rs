//! A temporary folder for one run of the benchmark.

use crate::{files::temporary::TemporaryFolder, terminal::interrupt::Patience};

/// A folder that is removed when this is dropped. Commands that are timed block this process, so an interrupt waits for the
/// end of the one that runs.
pub(super) struct Folder(pub(super) TemporaryFolder, Patience);

impl Folder {
    pub(super) fn create() -> anyhow::Result<Folder> {
        Ok(Folder(TemporaryFolder::create("bench")?, Patience::new()))
    }
}
