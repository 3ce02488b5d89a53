//! The schema of a database, as the typed model of the package `catalogue`.

use catalogue::Catalogue;
use migrations::Project;
use sqlx::PgConnection;

/// Reads the schema, without the ledger's own tables.
pub(crate) async fn read(conn: &mut PgConnection, project: &Project) -> anyhow::Result<Catalogue> {
    Ok(migrations::schema::read(conn, &project.left_out()).await?)
}

/// The same within the caller's open transaction.
pub(crate) async fn read_within(conn: &mut PgConnection, project: &Project) -> anyhow::Result<Catalogue> {
    Ok(migrations::schema::read_within(conn, &project.left_out()).await?)
}

/// Reads the schema without these schemas.
pub(crate) async fn read_without(conn: &mut PgConnection, leave_out: &[&str]) -> anyhow::Result<Catalogue> {
    Ok(migrations::schema::read(conn, leave_out).await?)
}
