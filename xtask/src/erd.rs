//! `cargo xtask erd`: the tables of each app with their columns, and the foreign keys between them.
//!
//! Read from the catalogue of a throwaway database that has had every migration, so what is drawn is what Postgres made of
//! the files, and no development database is needed.

mod columns;
mod drawing;
mod mermaid;
mod order;
mod schema;
mod wires;

use ::tests::scratch::Scratch;
use clap::Args as ClapArgs;
use serde_json::json;

use self::schema::{Schema, Table};
use crate::{
    checkout::Checkout,
    cli::Format,
    interrupt::or_interrupted,
    migrated,
    output::{Steps, count},
    picture::{Options, Picture},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask erd
  cargo xtask erd --format mermaid     to paste into Markdown
  cargo xtask erd --write              draw migrations/docs/erd.svg and erd.mmd again
  cargo xtask erd --check              tell whether these are up to date

It reads a throwaway database of a test server that has had every migration.

Exit code 3, with --check: a picture is missing or stale.")]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        // Standard output is the picture's.
        let mut steps = Steps::new(Format::Json);
        let read =
            async |scratch: &Scratch, _: &mut Steps| or_interrupted(Schema::read(scratch, &project)).await;
        let schema = migrated::with(checkout, &project, &mut steps, read).await?;
        let picture = Picture {
            name: "erd",
            text: text(&schema),
            mermaid: mermaid::draw(&schema),
            svg: drawing::draw(&schema),
            json: json!({ "tables": schema.tables }),
        };
        picture.present(checkout, self.options)
    }
}

fn text(schema: &Schema) -> String {
    let name_width = schema.tables.iter().map(|table| table.name.len()).max().unwrap_or(0);
    let columns = |table: &Table| count(table.columns.len(), "column", "columns");
    let columns_width = schema.tables.iter().map(|table| columns(table).len()).max().unwrap_or(0);
    let mut text = String::new();
    for app in &schema.apps {
        text += &format!("{app}\n");
        for table in schema.tables.iter().filter(|table| &table.app == app) {
            let keys =
                table.foreign_keys.iter().map(|key| format!("{} → {}", key.columns.join(", "), key.table));
            let keys = keys.collect::<Vec<_>>().join("; ");
            let line = format!("  {:<name_width$}  {:>columns_width$}  {keys}", table.name, columns(table));
            text += &format!("{}\n", line.trim_end());
        }
    }
    let keys = schema.tables.iter().map(|table| table.foreign_keys.len()).sum();
    let keys = count(keys, "foreign key", "foreign keys");
    format!("{text}\n{}, {keys}\n", count(schema.tables.len(), "table", "tables"))
}
