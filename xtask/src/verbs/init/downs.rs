//! Finds the last migration whose down is wrong, in one walk up and down. `verify` finds it too, but has to build the database
//! again after each wrong one, and a long history may have many.

use migrations::{Error, Migration, MigrationId, Project, Session, Settings, Target, schema::Reader};
use sqlx::postgres::PgConnectOptions;

use crate::{database::differences, terminal::interrupt::or_interrupted, throwaway::test_server::on_scratch};

/// The last migration after the baselines that fails to revert, or that leaves another schema than before it. `None`: there is
/// none above the first that has no way back, or the migrations do not apply, which `verify` reports.
pub(super) async fn last_wrong(
    project: &Project,
    server: &PgConnectOptions,
) -> anyhow::Result<Option<MigrationId>> {
    on_scratch(server, async |scratch| {
        or_interrupted(async {
            let (_, judged) = project.history();
            Ok(walk(project, judged, &scratch.options()).await.unwrap_or(None))
        })
        .await
    })
    .await
}

async fn walk(
    project: &Project,
    judged: &[Migration],
    database: &PgConnectOptions,
) -> Result<Option<MigrationId>, Error> {
    let mut session = Session::connect(database, Settings::default()).await?;
    let mut reader = Reader::connect(database, &project.left_out()).await?;
    let mut before = Vec::new();
    for migration in judged {
        let earlier = Target::before(project, &migration.id);
        session.migrate(project, &earlier, &mut |_| {}).await?;
        before.push(reader.read().await?);
        session.migrate(project, &Target::Migration(migration.id.clone()), &mut |_| {}).await?;
    }
    let mut wrong = None;
    for (migration, before) in judged.iter().zip(before).rev() {
        if migration.down.script().is_none() {
            break;
        }
        let reverted = session.migrate(project, &Target::before(project, &migration.id), &mut |_| {}).await;
        if reverted.is_err() || !differences::real(&before, &reader.read().await?).is_empty() {
            wrong = Some(migration.id.clone());
            break;
        }
    }
    reader.close().await;
    session.close().await;
    Ok(wrong)
}
