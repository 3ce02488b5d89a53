//! Ledgers in other tables than the apps' own, such as sqlx's default, which recorded the migrations before.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::{Error, Migration, Project};

const DOING: &str = "read the ledger";

/// A table that is made like a ledger of sqlx, and that no app has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherLedger {
    /// The table, qualified.
    pub table: String,
    rows: Vec<OtherRow>,
}

/// A migration that another ledger lists as applied.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OtherRow {
    version: i64,
    checksum: Vec<u8>,
}

/// A table of a database that may have to do with ledgers.
pub(crate) struct Table {
    /// Its name, qualified.
    pub(crate) name: String,
    /// The same as SQL has to quote it.
    quoted: String,
    /// Whether it has all columns of a ledger, and this role may read it.
    is_ledger: bool,
}

/// Lists the tables in the schemas of the ledgers, the apps' ledgers, and all that are made like one.
pub(crate) async fn tables(conn: &mut PgConnection, project: &Project) -> Result<Vec<Table>, Error> {
    let ledgers: Vec<&str> = project.apps.iter().map(|app| app.ledger.as_str()).collect();
    let tables = sqlx::query_as(
        "with alike as (
             select attrelid from pg_attribute where attnum > 0 and not attisdropped
               and (attname, atttypid) in (('version', 'int8'::regtype), ('description', 'text'::regtype), ('success', 'bool'::regtype),
                                           ('installed_on', 'timestamptz'::regtype), ('checksum', 'bytea'::regtype),
                                           ('execution_time', 'int8'::regtype))
             group by attrelid having count(*) = 6
         )
         select n.nspname || '.' || c.relname as name, format('%I.%I', n.nspname, c.relname) as quoted,
                attrelid is not null and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as is_ledger
         from pg_class c join pg_namespace n on n.oid = c.relnamespace left join alike on attrelid = c.oid
         where c.relkind in ('r', 'p') and n.nspname !~ '^pg_'
           and (n.nspname = any ($1) or n.nspname || '.' || c.relname = any ($2) or attrelid is not null)
         order by 1",
    )
    .bind(project.ledger_schemas())
    .bind(ledgers)
    .fetch_all(conn)
    .await;
    let tables: Vec<(String, String, bool)> = tables.map_err(Error::database(DOING))?;
    let table = |(name, quoted, is_ledger)| Table { name, quoted, is_ledger };
    Ok(tables.into_iter().map(table).collect())
}

impl OtherLedger {
    /// Reads those among these tables that no app has.
    pub(crate) async fn read(
        conn: &mut PgConnection,
        project: &Project,
        tables: &[Table],
    ) -> Result<Vec<OtherLedger>, Error> {
        let mut others = Vec::new();
        let is_own = |table: &Table| project.apps.iter().any(|app| app.ledger == table.name);
        for Table { name, quoted, .. } in tables.iter().filter(|it| it.is_ledger && !is_own(it)) {
            let sql = format!("select version, checksum from {quoted} where success order by version");
            let rows = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *conn).await;
            let rows: Vec<(i64, Vec<u8>)> = rows.map_err(Error::database(DOING))?;
            let rows = rows.into_iter().map(|(version, checksum)| OtherRow { version, checksum }).collect();
            others.push(OtherLedger { table: name.clone(), rows });
        }
        Ok(others)
    }

    /// Whether it records any migration of the project.
    pub(crate) fn is_of(&self, project: &Project) -> bool {
        let mut all = project.migrations.iter();
        all.any(|migration| self.rows.iter().any(|row| row.checksum == migration.checksum()))
    }

    /// The migrations that it records as applied and that have no row in their apps' own ledgers, in the order in which they
    /// run.
    ///
    /// A row belongs to the file whose text ran, whatever its name is now, and else to the only one with its number.
    pub(crate) fn unrecorded<'p>(
        &self,
        project: &'p Project,
        has_row: impl Fn(&Migration) -> bool,
    ) -> Vec<&'p Migration> {
        if !self.is_of(project) {
            return Vec::new();
        }
        let all = &project.migrations;
        let mut found = vec![false; all.len()];
        let mut edited = Vec::new();
        for row in &self.rows {
            let same = |index: &usize| !found[*index] && all[*index].checksum() == row.checksum;
            let same_number = (0..all.len()).find(|index| same(index) && all[*index].number == row.version);
            match same_number.or_else(|| (0..all.len()).find(same)) {
                Some(index) => found[index] = true,
                None => edited.push(row.version),
            }
        }
        for version in edited {
            let mut same = (0..all.len()).filter(|&index| !found[index] && all[index].number == version);
            if let (Some(only), None) = (same.next(), same.next()) {
                found[only] = true;
            }
        }
        let found = all.iter().zip(found).filter(|(migration, found)| *found && !has_row(migration));
        found.map(|(migration, _)| migration).collect()
    }
}
