//! What a session reports while it works.

use std::time::Duration;

use crate::{Blocker, Holder, MigrationId, Step, Subject};

/// The caller's function for events. It is `Send`, so that a program may run a session in a task of its own.
pub type OnEvent<'e> = &'e mut (dyn FnMut(Event<'_>) + Send);

/// What happens while a session works.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// Another session holds the migration lock; reported once for each wait.
    WaitingForLock {
        /// The database.
        database: &'e str,
        /// Who holds it, if the server shows it.
        holder: Option<&'e Holder>,
    },
    /// A migration will be applied though a later one of its app is applied, as its app allows.
    Late {
        /// The migration.
        id: &'e MigrationId,
        /// The later one.
        after: &'e MigrationId,
    },
    /// A migration starts.
    Started {
        /// The step.
        step: &'e Step<'e>,
    },
    /// A migration is done and recorded.
    Done {
        /// The step.
        step: &'e Step<'e>,
        /// How long it took, retries included.
        elapsed: Duration,
    },
    /// Other sessions were in the way of a migration or seed; it is undone and will be tried again.
    Retrying {
        /// What ran.
        subject: &'e Subject,
        /// The SQLSTATE; [`sqlstate::lookup`](crate::sqlstate::lookup) says what it means.
        code: &'e str,
        /// Who blocked it, as far as that was seen.
        blockers: &'e [Blocker],
        /// Which try comes next, from 2.
        attempt: u32,
        /// Pause until then.
        pause: Duration,
    },
    /// An earlier run did all that the migration does, and did not record it. It is recorded now.
    FoundDone {
        /// The step.
        step: &'e Step<'e>,
    },
    /// An index that an earlier try left invalid was dropped, to be built again.
    DroppedInvalidIndex {
        /// The step.
        step: &'e Step<'e>,
        /// The index, qualified.
        index: &'e str,
    },
}
