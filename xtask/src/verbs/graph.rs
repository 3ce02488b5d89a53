//! `cargo xtask graph`: the migrations, in the order in which they run, and what each waits for. It needs no server.

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
  cargo xtask graph --write              draw migrations/docs/graph.svg and graph.mmd again
  cargo xtask graph --check              tell whether these are up to date

Which migrations are applied is for `cargo xtask showmigrations` to say.

Exit code 3, with --check: a picture is missing or stale.")]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub(crate) fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let graph = Graph::new(&project);
        let picture = Picture {
            name: "graph",
            text: graph::text(&graph),
            mermaid: graph.mermaid(),
            svg: graph.svg(),
            report: graph.report(),
        };
        picture.present(checkout, self.options)
    }
}
