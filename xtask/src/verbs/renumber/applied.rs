//! Checks whether the development database has applied a migration that gets a new number.

use migrations::{Applied, MigrationId, Project, SourceFile};
use sha2::{Digest, Sha384};

use crate::{
    checkout::Checkout,
    database::session::{self, on_server},
    server,
    terminal::{exit::Stop, interrupt::or_interrupted},
    verbs::renumber::moves::Move,
};

/// The result of the check.
pub(super) enum Looked {
    /// The database, and the migrations that it has applied.
    At { database: String, applied: Vec<MigrationId> },
    /// No database could be read, for this reason.
    Nowhere(String),
}

/// Reads the ledger of the development database, if its server answers. `project` may lack the migrations.
pub(super) async fn look(
    checkout: &Checkout,
    project: &Project,
    files: &[SourceFile],
    moves: &[Move],
) -> anyhow::Result<Looked> {
    let looking = async {
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let rows = on_server(&server, async {
            let mut session = session::open_read_only(&server, project).await?;
            let ledger = session.ledger(project).await?;
            session.close().await;
            Ok(ledger.applied().cloned().collect::<Vec<_>>())
        });
        anyhow::Ok((server.database().to_owned(), rows.await?))
    };
    match looking.await {
        Ok((database, rows)) => {
            let is_applied = |id: &&MigrationId| rows.iter().any(|row| records(row, id, files));
            let applied = moves.iter().map(|moved| &moved.from).filter(is_applied).cloned().collect();
            Ok(Looked::At { database, applied })
        }
        Err(error) if matches!(error.downcast_ref(), Some(Stop::Interrupted)) => Err(error),
        Err(error) => Ok(Looked::Nowhere(error.to_string().lines().next().unwrap_or_default().to_owned())),
    }
}

/// Whether a row of the ledger records this migration: by its checksum, whatever it was called, or by its name, in case the
/// file was edited since.
fn records(row: &Applied, id: &MigrationId, files: &[SourceFile]) -> bool {
    let path = format!("{id}.up.sql");
    let text = files.iter().find(|file| file.path == path).and_then(|file| file.text.as_deref());
    let ran = text.is_some_and(|text| Sha384::digest(text).as_slice() == row.checksum);
    let called = row.name() == id.name;
    row.app == id.app && (ran || called)
}
