//! `cargo xtask graph`: the migrations, in the order in which they run, and what each waits for. It needs no server.

mod drawing;
mod lanes;

use clap::Args as ClapArgs;
use migrations::{MigrationId, Project};
use serde_json::{Value, json};

use crate::{
    checkout::Checkout,
    output::count,
    picture::{Options, Picture},
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

/// The migrations in the order in which they run, each with the lane of its app.
struct Graph<'p> {
    apps: Vec<&'p str>,
    nodes: Vec<Node<'p>>,
}

struct Node<'p> {
    id: &'p MigrationId,
    lane: usize,
    /// The one before it in its app.
    previous: Option<usize>,
    /// Those that its head names.
    after: Vec<usize>,
}

impl Args {
    pub(crate) fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let graph = Graph::of(&project);
        let picture = Picture {
            name: "graph",
            text: graph.text(),
            mermaid: graph.mermaid(),
            svg: graph.svg(),
            json: graph.json(),
        };
        picture.present(checkout, self.options)
    }
}

impl Graph<'_> {
    fn of(project: &Project) -> Graph<'_> {
        let apps: Vec<&str> = project.apps.iter().map(|app| app.name.as_str()).collect();
        let ids: Vec<&MigrationId> = project.migrations.iter().map(|migration| &migration.id).collect();
        let place = |id: &MigrationId| ids.iter().position(|other| *other == id);
        let nodes = project.migrations.iter().enumerate().map(|(index, migration)| Node {
            id: &migration.id,
            lane: apps.iter().position(|app| *app == migration.id.app).unwrap_or_default(),
            previous: ids[..index].iter().rposition(|id| id.app == migration.id.app),
            after: migration.depends_on.iter().filter_map(|dependency| place(&dependency.on)).collect(),
        });
        Graph { nodes: nodes.collect(), apps }
    }

    fn title(&self) -> String {
        let migrations = count(self.nodes.len(), "migration", "migrations");
        format!("{migrations} of {}, in the order in which they run", count(self.apps.len(), "app", "apps"))
    }

    /// `after app/0001_initial`, or nothing.
    fn after(&self, node: &Node) -> String {
        let names: Vec<String> = node.after.iter().map(|&index| self.nodes[index].id.to_string()).collect();
        if names.is_empty() { String::new() } else { format!("after {}", names.join(", ")) }
    }

    fn text(&self) -> String {
        let lanes = lanes::draw(self);
        let width = self.nodes.iter().map(|node| node.id.to_string().len()).max().unwrap_or(0);
        let lines = self.nodes.iter().zip(lanes).map(|(node, lane)| {
            let (id, after) = (node.id.to_string(), self.after(node));
            format!("{}\n", format!("{lane}  {id:<width$}  {after}").trim_end())
        });
        format!("{}\n{}\n", lines.collect::<String>(), self.title())
    }

    fn mermaid(&self) -> String {
        let name = |index: usize| format!("{}_{}", self.nodes[index].id.app, &self.nodes[index].id.name[..4]);
        let mut text = String::from("%% Drawn by cargo xtask graph.\nflowchart LR\n");
        for (lane, app) in self.apps.iter().enumerate() {
            let own: Vec<usize> =
                (0..self.nodes.len()).filter(|&index| self.nodes[index].lane == lane).collect();
            if own.is_empty() {
                continue;
            }
            text += &format!("  subgraph app_{app}[\"{app}\"]\n    direction LR\n");
            for index in own {
                text += &format!("    {}[\"{}\"]\n", name(index), self.nodes[index].id.name);
            }
            text += "  end\n";
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if let Some(parent) = node.previous {
                text += &format!("  {} --> {}\n", name(parent), name(index));
            }
            for &parent in &node.after {
                text += &format!("  {} -.-> {}\n", name(parent), name(index));
            }
        }
        text
    }

    fn json(&self) -> Value {
        let migrations = self.nodes.iter().map(|node| {
            let id = |&index: &usize| self.nodes[index].id.to_string();
            json!({
                "migration": node.id.to_string(),
                "app": node.id.app,
                "previous": node.previous.as_ref().map(id),
                "depends_on": node.after.iter().map(id).collect::<Vec<_>>(),
            })
        });
        json!({ "migrations": migrations.collect::<Vec<_>>() })
    }
}
