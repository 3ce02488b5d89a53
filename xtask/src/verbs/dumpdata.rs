//! `cargo xtask dumpdata`: writes the rows of the apps' tables to a folder of files.

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::bail;
use catalogue::{Catalogue, ROWS_AS_TEXT, set_local};
use clap::Args as ClapArgs;
use futures_util::TryStreamExt;
use migrations::{Contract, Error, Ledger, Project};
use serde::Serialize;
use sqlx::PgConnection;

use crate::{
    checkout::Checkout,
    database::{
        schema,
        session::{self, on_server},
    },
    rows::{
        draft::{Draft, DraftFile, ExistingDump},
        dump::{self, Dump, DumpedTable, FORMAT, Tally},
        found,
        locking::{self, Others},
        sequences,
        tables::{self, Table},
    },
    server,
    terminal::{
        format::Format,
        interrupt::or_interrupted,
        output::{Steps, count, timed},
        shell::shell_path,
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask dumpdata --output FOLDER                 every table that an app owns
  cargo xtask dumpdata APP TABLE --output FOLDER       all tables of an app, and one more
  cargo xtask dumpdata APP/TABLE --output FOLDER       one table, where an app has the same name

It writes what was committed when it began, in the text format of COPY, one file per table, with the rows ordered by their \
primary key: the same rows make the same files, byte for byte. It also keeps where the sequences stand, and lists what it \
leaves out, such as large objects. The files hold everything in the tables, password hashes \
included, so only you can read them (mode 0600).

Exit code 4: refused, because the folder already holds a dump.")]
pub(crate) struct Args {
    /// The apps or tables to dump [default: all]
    #[arg(value_name = "APP|TABLE")]
    names: Vec<String>,
    /// The folder to create; it gets this name once the dump is complete
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// Replace the dump in the folder
    #[arg(long)]
    force: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `--format json` reports besides the steps.
#[derive(Serialize)]
struct Report {
    dump: Dump,
    /// JSON has no other bytes than UTF-8, so any in its name are replaced.
    folder: String,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let wanted = if self.names.is_empty() {
            tables::owned_tables(&project)
        } else {
            tables::resolve_names(&project, &self.names)?
        };
        let existing = if self.force { ExistingDump::Replace } else { ExistingDump::Refuse };
        let draft = Draft::new(&self.output, existing)?;
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let mut steps = Steps::new(self.format);
        let (dump, bytes) = on_server(&server, async {
            let mut session = session::open_read_only(&server, &project).await?;
            let written = write(session.connection(), &project, &wanted, &draft, &mut steps).await?;
            session.close().await;
            Ok(written)
        })
        .await?;
        let folder = draft.complete()?;

        let rows = tables::format_rows(dump.tables.iter().map(|table| table.rows).sum());
        let tables = count(dump.tables.len(), "table", "tables");
        steps.note(&format!(
            "{tables}, {rows}, {} in {}\nto load it: cargo xtask loaddata {}",
            dump::format_size(bytes),
            folder.display(),
            shell_path(&folder)
        ));
        steps.finish(Report { dump, folder: folder.to_string_lossy().into_owned() });
        Ok(())
    }
}

async fn write(
    conn: &mut PgConnection,
    project: &Project,
    wanted: &BTreeSet<String>,
    draft: &Draft,
    steps: &mut Steps,
) -> anyhow::Result<(Dump, u64)> {
    let existing = locking::existing(conn, wanted).await?;
    if existing.is_empty() {
        bail!("none of the tables exists\n  to create them: cargo xtask migrate");
    }
    // The first query takes the snapshot. The tables are locked before it, so that none changes its columns in between.
    tables::execute(conn, "begin isolation level repeatable read, read only", "begin the dump").await?;
    locking::lock(conn, &existing, Others::ReadAndWrite).await?;
    tables::execute(conn, &set_local(ROWS_AS_TEXT), "begin the dump").await?;
    // A large table may take longer than the usual timeout.
    tables::execute(conn, "set local statement_timeout = 0", "begin the dump").await?;
    let schema = schema::read_within(conn, project).await?;
    let tables = found::existing_tables(&schema, project, wanted)?;
    let mut dump = Dump {
        format: FORMAT,
        postgres: migrations::database::require_version(conn, &project.postgres)?,
        migrations: dump::applied_migrations(&Ledger::read(conn, project).await?),
        tables: Vec::new(),
        sequences: Vec::new(),
        left_out: left_out(conn, &schema, wanted, &tables).await?,
    };
    let mut bytes = 0;
    for (index, table) in tables.iter().enumerate() {
        steps.doing_part("dump", &table.name, index, tables.len());
        let name = dump::file_name(&table.name);
        let file = draft.create_file(&name)?;
        let (tally, elapsed) = timed(write_rows(conn, table, file)).await;
        let tally = tally?;
        bytes += tally.bytes;
        let rows = tally.rows;
        steps.done("dump", &table.name, &tables::format_rows(rows), Some(elapsed));
        dump.tables.push(DumpedTable {
            table: table.name.clone(),
            file: name,
            columns: table.columns.clone(),
            left_out: Vec::new(),
            rows,
            sha256: tally.sha256(),
        });
    }
    // After the rows, so that no row has a higher number.
    for sequence in sequences::used_by(&schema, project, &tables) {
        dump.sequences.push(sequence.state(conn).await?);
    }
    for left_out in &dump.left_out {
        steps.note(&format!("           {left_out}"));
    }
    note_gaps(&schema, project, wanted, &tables, steps);
    tables::execute(conn, "commit", "end the dump").await?;
    let mut file = draft.create_file(dump::FILE)?;
    file.write(format!("{}\n", serde_json::to_string_pretty(&dump)?).as_bytes())?;
    file.close()?;
    Ok((dump, bytes))
}

/// Says what a dump of these tables can't hold.
async fn left_out(
    conn: &mut PgConnection,
    schema: &Catalogue,
    wanted: &BTreeSet<String>,
    tables: &[Table],
) -> anyhow::Result<Vec<String>> {
    let mut left_out = found::on_another_server(schema, wanted);
    let objects = sqlx::query_scalar("select count(*) from pg_largeobject_metadata").fetch_one(conn).await;
    let objects: i64 = objects.map_err(Error::database("count the large objects"))?;
    if objects > 0 {
        let names = |table: &Table| {
            let columns = table.columns.iter().filter(|column| ["oid", "lo"].contains(&column.kind.as_str()));
            columns.map(|column| format!("{}.{}", table.name, column.name)).collect::<Vec<_>>()
        };
        let columns: Vec<String> = tables.iter().flat_map(names).collect();
        let columns = if columns.is_empty() {
            String::new()
        } else {
            format!("; these columns may refer to them: {}", columns.join(", "))
        };
        let objects = usize::try_from(objects).unwrap_or(usize::MAX);
        let objects = count(objects, "large object is left out", "large objects are left out");
        left_out.push(format!("{objects}{columns}"));
    }
    Ok(left_out)
}

/// Notes the tables that the dump lacks, and the foreign keys of its tables that refer to a table outside the dump.
fn note_gaps(
    schema: &Catalogue,
    project: &Project,
    wanted: &BTreeSet<String>,
    tables: &[Table],
    steps: &mut Steps,
) {
    let contract = Contract::new(schema, project);
    for missing in contract.missing.iter().filter(|missing| wanted.contains(&missing.table)) {
        steps.note(&format!("           table {} does not exist", missing.table));
    }
    for table in contract.unexpected.iter().filter(|_| *wanted == tables::owned_tables(project)) {
        steps.note(&format!("           table {table} is left out: no app owns it"));
    }
    for table in tables {
        for key in &table.foreign_keys {
            if !tables.iter().any(|other| key.refers_to(other)) {
                let (columns, target) = (key.columns.join(", "), key.target.typed());
                let from = &table.name;
                steps.note(&format!(
                    "           {from}.{columns} refers to {target}, which is not in the dump"
                ));
            }
        }
    }
}

async fn write_rows(conn: &mut PgConnection, table: &Table, mut file: DraftFile) -> anyhow::Result<Tally> {
    // A table without a primary key is ordered by the whole row.
    let order = table.order.as_deref().unwrap_or("dumped_row::text collate \"C\"");
    let sql = format!(
        "copy (select {} from {} as dumped_row order by {order}) to stdout",
        table.column_list(),
        table.own_rows()
    );
    let mut tally = Tally::default();
    let mut rows = conn.copy_out_raw(&sql).await.map_err(Error::database("read the rows"))?;
    while let Some(row) = rows.try_next().await.map_err(Error::database("read the rows"))? {
        tally.add(&row);
        file.write(&row)?;
    }
    file.close()?;
    Ok(tally)
}
