//! The migrations as a graph.

use migrations::{MigrationId, Project};
use serde::Serialize;

use crate::terminal::output::count;

/// The migrations in the order in which they run, each with the lane of its app.
pub(crate) struct Graph<'p> {
    pub(super) apps: Vec<&'p str>,
    pub(super) nodes: Vec<Node<'p>>,
}

pub(super) struct Node<'p> {
    pub(super) id: &'p MigrationId,
    pub(super) lane: usize,
    /// The previous migration of its app, by position.
    pub(super) previous: Option<usize>,
    /// The migrations that it depends on, by position.
    pub(super) after: Vec<usize>,
}

impl<'p> Graph<'p> {
    /// Builds the graph of all migrations of a project.
    pub(crate) fn new(project: &'p Project) -> Graph<'p> {
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

    /// Says how many migrations and apps there are.
    pub(super) fn title(&self) -> String {
        let migrations = count(self.nodes.len(), "migration", "migrations");
        format!("{migrations} of {}, in the order in which they run", count(self.apps.len(), "app", "apps"))
    }

    /// Names the dependencies of a migration, as `after app/0001_initial`; empty if it has none.
    pub(super) fn after(&self, node: &Node) -> String {
        let names: Vec<String> = node.after.iter().map(|&index| self.nodes[index].id.to_string()).collect();
        if names.is_empty() { String::new() } else { format!("after {}", names.join(", ")) }
    }

    /// Draws a Mermaid flowchart.
    pub(crate) fn mermaid(&self) -> String {
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

    /// Returns the graph as programs read it.
    pub(crate) fn report(&self) -> Report<'_> {
        let migrations = self.nodes.iter().map(|node| {
            let id = |&index: &usize| self.nodes[index].id.to_string();
            ReportedMigration {
                migration: node.id.to_string(),
                app: &node.id.app,
                previous: node.previous.as_ref().map(id),
                depends_on: node.after.iter().map(id).collect(),
            }
        });
        Report { migrations: migrations.collect() }
    }
}

/// The graph as `--format json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'g> {
    migrations: Vec<ReportedMigration<'g>>,
}

#[derive(Debug, Serialize)]
struct ReportedMigration<'g> {
    migration: String,
    app: &'g str,
    previous: Option<String>,
    depends_on: Vec<String>,
}
