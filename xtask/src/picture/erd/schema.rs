//! Tables, columns and foreign keys, as the catalogue has them.

use migrations::{Error, Project};
use serde::Serialize;
use sqlx::{Connection, PgConnection, Row};
use tests::scratch::Scratch;

/// What is said of a table that the manifest gives to no app.
const NOBODY: &str = "(no app)";

/// All tables, by app and name.
pub(crate) struct Schema {
    /// Those that have tables, in the manifest's order.
    pub(crate) apps: Vec<String>,
    pub(crate) tables: Vec<Table>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Table {
    pub(crate) app: String,
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) nullable: bool,
    pub(crate) primary_key: bool,
    /// By itself alone.
    pub(crate) unique: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ForeignKey {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    pub(crate) table: String,
    pub(crate) referenced: Vec<String>,
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
    pub(crate) async fn read(scratch: &Scratch, project: &Project) -> anyhow::Result<Schema> {
        let failed = || Error::database("read the tables");
        // Whatever the role prefers: names are told without the schema only where it is looked in.
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
                let app = owner.map_or(NOBODY, |app| &app.name).to_owned();
                tables.push(Table { app, name, ..Table::default() });
            }
            let column = Column {
                name: row.get("name"),
                kind: short(row.get("kind")),
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
        let apps = project.apps.iter().map(|app| app.name.clone()).chain([NOBODY.to_owned()]);
        let apps: Vec<String> = apps.filter(|app| tables.iter().any(|table| &table.app == app)).collect();
        tables.sort_by_key(|table| apps.iter().position(|app| *app == table.app));
        Ok(Schema { apps, tables })
    }

    /// The position of a table's app among those that have tables.
    pub(crate) fn app_of(&self, table: &Table) -> usize {
        self.apps.iter().position(|app| *app == table.app).unwrap_or_default()
    }
}

impl Table {
    /// Whether a column, by itself or with others, refers to another table.
    pub(crate) fn refers(&self, column: &str) -> bool {
        self.foreign_keys.iter().any(|key| key.columns.iter().any(|name| name == column))
    }

    /// The position of a column.
    pub(crate) fn position(&self, column: &str) -> usize {
        self.columns.iter().position(|it| it.name == column).unwrap_or_default()
    }
}

/// A type as people write it.
fn short(kind: &str) -> String {
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
