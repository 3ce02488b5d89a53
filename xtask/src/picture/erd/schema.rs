//! Reads tables, columns and foreign keys from Postgres's catalogue.

use migrations::{Error, Project};
use serde::Serialize;
use sqlx::{Connection, PgConnection, Row};
use tests::scratch::Scratch;

/// The app's name for tables that no app in the manifest owns.
const NO_APP: &str = "(no app)";

/// All tables, by app and name.
#[derive(Debug, Serialize)]
pub(crate) struct Schema {
    /// The apps that have tables, in the manifest's order.
    #[serde(skip)]
    pub(super) apps: Vec<String>,
    pub(super) tables: Vec<Table>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Table {
    pub(super) app: String,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) foreign_keys: Vec<ForeignKey>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) nullable: bool,
    pub(super) primary_key: bool,
    /// Whether a unique index covers this column alone.
    pub(super) unique: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ForeignKey {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) table: String,
    pub(super) referenced: Vec<String>,
}

const COLUMNS: &str = "
    select c.oid::regclass::text as table, a.attname::text as name, format_type(a.atttypid, a.atttypmod) as kind,
           not a.attnotnull as nullable,
           exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)) as primary_key,
           exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and i.indnkeyatts = 1 and i.indpred is null
                                            and a.attnum = i.indkey[0]) as unique
    from pg_class c
    join pg_namespace s on s.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'p') and not c.relispartition
      and s.nspname !~ '^pg_' and s.nspname <> 'information_schema' and not s.nspname = any ($1)
      and not exists (select from pg_depend m where m.classid = 'pg_class'::regclass and m.objid = c.oid and m.deptype = 'e')
    order by c.oid::regclass::text collate \"C\", a.attnum";

const FOREIGN_KEYS: &str = "
    select k.conrelid::regclass::text as table, k.conname::text as name, k.confrelid::regclass::text as other,
           array(select a.attname::text from unnest(k.conkey) with ordinality as n (number, place)
                 join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.number order by n.place) as columns,
           array(select a.attname::text from unnest(k.confkey) with ordinality as n (number, place)
                 join pg_attribute a on a.attrelid = k.confrelid and a.attnum = n.number order by n.place) as referenced
    from pg_constraint k
    where k.contype = 'f' and k.conparentid = 0
    order by k.conrelid::regclass::text collate \"C\", k.conkey, k.conname collate \"C\"";

impl Schema {
    /// Reads the tables of a migrated database.
    pub(crate) async fn read(scratch: &Scratch, project: &Project) -> anyhow::Result<Schema> {
        let failed = || Error::database("read the tables");
        // Postgres leaves the schema out of a name only if the search path has it, and the role may have another path.
        let options = scratch.options().options([("search_path", "public")]);
        let mut conn = PgConnection::connect_with(&options).await.map_err(failed())?;
        let columns = sqlx::query(COLUMNS).bind(project.ledger_schemas());
        let columns = columns.fetch_all(&mut conn).await.map_err(failed())?;
        let keys = sqlx::query(FOREIGN_KEYS).fetch_all(&mut conn).await.map_err(failed())?;
        let _ = conn.close().await;

        let mut tables: Vec<Table> = Vec::new();
        for row in columns {
            let name: String = row.get("table");
            if tables.last().is_none_or(|table| table.name != name) {
                let owner = project.apps.iter().find(|app| app.tables.contains(&name));
                let app = owner.map_or(NO_APP, |app| &app.name).to_owned();
                tables.push(Table { app, name, ..Table::default() });
            }
            let column = Column {
                name: row.get("name"),
                kind: short_type(row.get("kind")),
                nullable: row.get("nullable"),
                primary_key: row.get("primary_key"),
                unique: row.get("unique"),
            };
            if let Some(table) = tables.last_mut() {
                table.columns.push(column);
            }
        }
        for row in keys {
            let name: String = row.get("table");
            if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
                table.foreign_keys.push(ForeignKey {
                    name: row.get("name"),
                    columns: row.get("columns"),
                    table: row.get("other"),
                    referenced: row.get("referenced"),
                });
            }
        }
        let apps = project.apps.iter().map(|app| app.name.clone()).chain([NO_APP.to_owned()]);
        let apps: Vec<String> = apps.filter(|app| tables.iter().any(|table| &table.app == app)).collect();
        tables.sort_by_key(|table| apps.iter().position(|app| *app == table.app));
        Ok(Schema { apps, tables })
    }

    /// Returns the position of a table's app among the apps that have tables.
    pub(super) fn app_index(&self, table: &Table) -> usize {
        self.apps.iter().position(|app| *app == table.app).unwrap_or_default()
    }
}

impl Table {
    /// Whether a column is part of a foreign key.
    pub(super) fn refers(&self, column: &str) -> bool {
        self.foreign_keys.iter().any(|key| key.columns.iter().any(|name| name == column))
    }

    /// Returns the position of a column.
    pub(super) fn position(&self, column: &str) -> usize {
        self.columns.iter().position(|it| it.name == column).unwrap_or_default()
    }
}

/// Shortens a type to the name that people write.
fn short_type(kind: &str) -> String {
    let (name, array) = kind.strip_suffix("[]").map_or((kind, ""), |name| (name, "[]"));
    let name = match name {
        "timestamp with time zone" => "timestamptz".to_owned(),
        "timestamp without time zone" => "timestamp".to_owned(),
        "time without time zone" => "time".to_owned(),
        "double precision" => "float8".to_owned(),
        _ => name.replacen("character varying", "varchar", 1).replacen("character(", "char(", 1),
    };
    name + array
}
