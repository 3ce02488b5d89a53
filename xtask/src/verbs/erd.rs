//! `cargo xtask erd`: the tables of each app with their columns, and the foreign keys between them.
//!
//! Read from the catalogue of a throwaway database that has had every migration, so what is drawn is what Postgres made of
//! the files, and no development database is needed.

use ::tests::Scratch;
use clap::Args as ClapArgs;
use serde_json::json;

use crate::{
    checkout::Checkout,
    picture::{
        erd::{self, Schema},
        present::{Options, Picture},
    },
    terminal::{interrupt::or_interrupted, output::Steps},
    throwaway::migrated,
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
        let mut steps = Steps::quiet();
        let read =
            async |scratch: &Scratch, _: &mut Steps| or_interrupted(Schema::read(scratch, &project)).await;
        let schema = migrated::with_scratch(checkout, &project, &mut steps, read).await?;
        let picture = Picture {
            name: "erd",
            text: erd::text(&schema),
            mermaid: erd::mermaid(&schema),
            svg: erd::svg(&schema),
            json: json!({ "tables": schema.tables }),
        };
        picture.present(checkout, self.options)
    }
}
