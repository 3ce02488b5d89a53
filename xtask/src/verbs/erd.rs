//! `cargo xtask erd`: draws the tables of each app with their columns, and the foreign keys between them.
//!
//! It applies every migration to a throwaway database and reads the catalogue there, so the picture shows what Postgres
//! made of the files, and no development database is needed.

use ::tests::scratch::Scratch;
use clap::Args as ClapArgs;
use migrations::{Session, Settings};

use crate::{
    checkout::Checkout,
    database::schema,
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
  cargo xtask erd --write              write migrations/docs/erd.svg and erd.mmd
  cargo xtask erd --check              check that these files are up to date

It applies every migration to a throwaway database on a test server and reads the tables there.

Exit code 3 with --check: a picture is missing or out of date.")]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        // Standard output is for the picture alone.
        let mut steps = Steps::quiet();
        let read = async |scratch: &Scratch, _: &mut Steps| {
            or_interrupted(async {
                let mut session = Session::connect(&scratch.options(), Settings::default()).await?;
                let schema = schema::read(session.connection(), &project).await?;
                session.close().await;
                Ok(Schema::new(&schema, &project))
            })
            .await
        };
        let schema = migrated::with_scratch(checkout, &project, &mut steps, read).await?;
        let picture = Picture {
            name: "erd",
            text: erd::text(&schema),
            mermaid: erd::mermaid(&schema),
            svg: erd::svg(&schema),
            report: schema,
        };
        picture.present(checkout, self.options)
    }
}
