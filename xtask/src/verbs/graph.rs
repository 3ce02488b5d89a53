//! `cargo xtask graph`: draws the migrations in the order in which they run, and what each waits for. It needs no server.

use clap::Args as ClapArgs;

use crate::{
    checkout::Checkout,
    picture::{
        graph::{self, Graph},
        present::{Options, Picture},
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask graph
  cargo xtask graph --format mermaid     to paste into Markdown
  cargo xtask graph --write              write migrations/docs/graph.svg and graph.mmd
  cargo xtask graph --check              check that these files are up to date

Of a long run of migrations that nothing else hangs on it draws the ends; `--format json` has them all.

`cargo xtask showmigrations` shows which migrations are applied.

Exit code 3 with --check: a picture is missing or out of date.")]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub(crate) fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let graph = Graph::new(&project);
        let drawn = graph.folded();
        let picture = Picture {
            name: "graph",
            text: graph::text(&drawn),
            mermaid: drawn.mermaid(),
            svg: drawn.svg(),
            report: graph.report(),
        };
        picture.present(checkout, self.options)
    }
}
