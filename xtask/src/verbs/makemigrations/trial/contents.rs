//! What tables hold, so that two moments can be compared.

use std::collections::{BTreeMap, HashMap};

use catalogue::{Address, Body, Catalogue, Kind};
use diff::Rename;
use migrations::Error;
use sqlx::{AssertSqlSafe, PgConnection};

/// The rows of a table.
#[derive(Debug, Clone)]
struct Rows {
    count: i64,
    /// A digest of the values of each column.
    columns: BTreeMap<String, String>,
}

/// The rows of all tables.
#[derive(Debug, Clone)]
pub(super) struct Contents {
    tables: BTreeMap<Address, Rows>,
}

impl Contents {
    pub(super) async fn read(conn: &mut PgConnection, schema: &Catalogue) -> anyhow::Result<Contents> {
        Contents::read_as(conn, schema, &HashMap::new()).await
    }

    /// The same, with the values of these columns as the types that they had before.
    pub(super) async fn read_as(
        conn: &mut PgConnection,
        schema: &Catalogue,
        types: &HashMap<Address, String>,
    ) -> anyhow::Result<Contents> {
        let mut tables = BTreeMap::new();
        for table in schema.of_kind(Kind::Table).filter(|it| !it.is_partition()) {
            let computed = |body: &Body| matches!(body, Body::Column(it) if it.generated.is_some());
            let columns = schema.parts(Kind::Column, &table.address).filter(|it| !computed(&it.body));
            let columns: Vec<&Address> = columns.map(|it| &it.address).collect();
            let select = |types: &HashMap<Address, String>| {
                let mut select = "select array[count(*)::text".to_owned();
                for column in &columns {
                    let name = schema.quoted(&column.part);
                    let cast = types.get(column).map_or(String::new(), |it| format!("::{it}"));
                    let text = format!("coalesce({name}{cast}::text, 'null')");
                    select += &format!(", coalesce(md5(string_agg({text}, ',' order by {text})), '')");
                }
                select + &format!("] from {}", schema.qualified(&table.address))
            };
            let mut read = sqlx::query_scalar(AssertSqlSafe(select(types))).fetch_one(&mut *conn).await;
            if read.is_err() {
                // There may be no way back to the old type.
                read = sqlx::query_scalar(AssertSqlSafe(select(&HashMap::new()))).fetch_one(&mut *conn).await;
            }
            let mut read = Vec::<String>::into_iter(read.map_err(Error::database("compare rows"))?);
            let count = read.next().and_then(|it| it.parse().ok()).unwrap_or_default();
            let columns = columns.into_iter().map(|it| it.part.clone()).zip(read).collect();
            tables.insert(table.address.clone(), Rows { count, columns });
        }
        Ok(Contents { tables })
    }

    pub(super) fn has_rows(&self, table: &Address) -> bool {
        self.tables.get(table).is_some_and(|rows| rows.count > 0)
    }

    /// What later contents lack, or have differently, a few words each.
    pub(super) fn lost(&self, later: &Contents, renames: &[Rename]) -> Vec<String> {
        let mut lost = Vec::new();
        for (table, rows) in self.tables.iter().filter(|(_, rows)| rows.count > 0) {
            let shown = table.typed();
            let Some(now) = later.tables.get(&diff::renamed(table.clone(), renames)) else {
                lost.push(format!("loses {shown}"));
                continue;
            };
            if now.count != rows.count {
                lost.push(format!("leaves {} of {} rows of {shown}", now.count, rows.count));
            }
            for (column, digest) in &rows.columns {
                let old = Address { kind: Kind::Column, part: column.clone(), ..table.clone() };
                match now.columns.get(&diff::renamed(old, renames).part) {
                    None => lost.push(format!("loses {shown}.{column}")),
                    Some(now) if now != digest => lost.push(format!("changes values of {shown}.{column}")),
                    Some(_) => {}
                }
            }
        }
        lost
    }
}
