//! The schema of a database, as the typed model of the package `catalogue`.

use catalogue::{Address, Catalogue, Kind, Object};
use migrations::Project;
use sqlx::PgConnection;

/// Reads the schema, without the ledger's own tables.
pub(crate) async fn read(conn: &mut PgConnection, project: &Project) -> anyhow::Result<Catalogue> {
    Ok(migrations::schema::read(conn, &project.ledger_schemas()).await?)
}

/// The same within the caller's open transaction.
pub(crate) async fn read_within(conn: &mut PgConnection, project: &Project) -> anyhow::Result<Catalogue> {
    Ok(migrations::schema::read_within(conn, &project.ledger_schemas()).await?)
}

/// The table that a part belongs to.
pub(crate) fn table_of(part: &Address) -> Address {
    Address { kind: Kind::Table, part: String::new(), ..part.clone() }
}

/// The tables that an object is, belongs to, or needs.
pub(crate) fn tables_of(object: &Object) -> impl Iterator<Item = Address> {
    let of = |address: &Address| {
        let table =
            matches!(address.kind, Kind::Table | Kind::ForeignTable | Kind::View | Kind::MaterializedView);
        (table || address.kind.is_part()).then(|| table_of(address))
    };
    [&object.address].into_iter().chain(object.needs.iter().map(|need| &*need.on)).filter_map(of)
}
