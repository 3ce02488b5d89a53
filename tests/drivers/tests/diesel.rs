//! diesel, which blocks.

use diesel::{Connection as _, RunQueryDsl as _, dsl::sql, sql_types::BigInt};

#[test]
fn takes_a_database() -> Result<(), Box<dyn std::error::Error>> {
    let database = tests_client::seeded().lend()?;
    let mut conn = diesel::PgConnection::establish(database.url())?;

    let admins = sql::<BigInt>("(select count(*) from roles where name = 'admin')");
    let admins: i64 = diesel::select(admins).get_result(&mut conn)?;
    assert_eq!(admins, 1);
    Ok(())
}
