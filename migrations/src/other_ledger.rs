//! Ledgers in other tables than the apps' own, such as sqlx's default, which recorded the migrations before.

use std::collections::{HashMap, HashSet};

use sqlx::{AssertSqlSafe, PgConnection};

use crate::{Error, Migration, Project};

const DOING: &str = "read the ledger";
/// When a migration was applied, in the session's time zone, as ISO 8601.
pub(crate) const INSTALLED_ON: &str =
    "to_char(installed_on, 'YYYY-MM-DD\"T\"HH24:MI:SSTZH:TZM') as installed_on";

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
    /// As [`INSTALLED_ON`] prints it.
    installed_on: String,
}

/// A row of an app's own ledger.
pub(crate) struct OwnRow<'l> {
    pub(crate) app: &'l str,
    pub(crate) version: i64,
    pub(crate) installed_on: &'l str,
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
            let sql = format!(
                "select version, checksum, {INSTALLED_ON} from {quoted} where success order by version"
            );
            let rows = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *conn).await;
            let rows: Vec<(i64, Vec<u8>, String)> = rows.map_err(Error::database(DOING))?;
            let row = |(version, checksum, installed_on)| OtherRow { version, checksum, installed_on };
            let rows = rows.into_iter().map(row).collect();
            others.push(OtherLedger { table: name.clone(), rows });
        }
        Ok(others)
    }

    /// Whether it records any migration of the project.
    pub(crate) fn is_of(&self, project: &Project) -> bool {
        let all: HashSet<&[u8]> = project.migrations.iter().map(|migration| migration.checksum()).collect();
        self.rows.iter().any(|row| all.contains(row.checksum.as_slice()))
    }

    /// The migrations that it records as applied and `own`, the rows of the apps' own ledgers, doesn't, in the order in which
    /// they run. What it recorded before an app's own ledger began, and that lacks, was reverted since.
    ///
    /// A row belongs to the file whose text ran, whatever its name is now, and else to the only one with its number.
    pub(crate) fn unrecorded<'p>(&self, project: &'p Project, own: &[OwnRow<'_>]) -> Vec<&'p Migration> {
        if !self.is_of(project) {
            return Vec::new();
        }
        let all = &project.migrations;
        let (mut by_text, mut by_number) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (index, migration) in all.iter().enumerate() {
            by_text.entry(migration.checksum()).or_default().push(index);
            by_number.entry(migration.number).or_default().push(index);
        }
        // The row of each migration.
        let mut found: Vec<Option<&OtherRow>> = vec![None; all.len()];
        let mut edited = Vec::new();
        for row in &self.rows {
            match by_text.get_mut(row.checksum.as_slice()) {
                Some(same) if !same.is_empty() => {
                    let same_number = same.iter().position(|&index| all[index].number == row.version);
                    found[same.remove(same_number.unwrap_or(0))] = Some(row);
                }
                _ => edited.push(row),
            }
        }
        for row in edited {
            let same = by_number.get(&row.version).into_iter().flatten().copied();
            let mut free = same.filter(|&index| found[index].is_none());
            if let (Some(only), None) = (free.next(), free.next()) {
                found[only] = Some(row);
            }
        }
        let mut begun: HashMap<&str, &str> = HashMap::new();
        for row in own {
            let first = begun.entry(row.app).or_insert(row.installed_on);
            *first = row.installed_on.min(first);
        }
        let recorded: HashSet<(&str, i64)> = own.iter().map(|row| (row.app, row.version)).collect();
        let is_missing = |migration: &Migration, row: &OtherRow| {
            let app = migration.id.app.as_str();
            !recorded.contains(&(app, migration.number))
                && begun.get(app).is_none_or(|begun| *begun < row.installed_on.as_str())
        };
        let missing = all.iter().zip(found).filter_map(|(migration, row)| Some((migration, row?)));
        missing
            .filter(|(migration, row)| is_missing(migration, row))
            .map(|(migration, _)| migration)
            .collect()
    }
}
