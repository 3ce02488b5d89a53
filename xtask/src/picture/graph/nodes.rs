//! The migrations as a graph.

use std::collections::{BTreeSet, HashMap};

use migrations::{MigrationId, Project};
use serde::Serialize;

use crate::terminal::output::count;

/// The shortest run of migrations of which a picture draws only the ends.
const LONG: usize = 6;

/// The migrations in the order in which they run, each with the lane of its app.
pub(crate) struct Graph<'p> {
    pub(super) apps: Vec<&'p str>,
    pub(super) nodes: Vec<Node<'p>>,
    /// How many migrations there are.
    pub(super) migrations: usize,
}

#[derive(Clone)]
pub(super) struct Node<'p> {
    pub(super) id: &'p MigrationId,
    /// How many further ones of its app, which nothing else hangs on, it stands for.
    pub(super) folded: usize,
    pub(super) lane: usize,
    /// The previous migration of its app, by position.
    pub(super) previous: Option<usize>,
    /// The migrations that it depends on, by position.
    pub(super) after: Vec<usize>,
}

impl Node<'_> {
    /// Its name: `app/0001_initial`.
    pub(super) fn name(&self) -> String {
        format!("{}{}", self.id, self.more())
    }

    fn more(&self) -> String {
        if self.folded == 0 { String::new() } else { format!(", and {} more", self.folded) }
    }
}

impl<'p> Graph<'p> {
    /// Builds the graph of all migrations of a project.
    pub(crate) fn new(project: &'p Project) -> Graph<'p> {
        let apps: Vec<&str> = project.apps.iter().map(|app| app.name.as_str()).collect();
        let ids: Vec<&MigrationId> = project.migrations.iter().map(|migration| &migration.id).collect();
        let places: HashMap<&MigrationId, usize> = ids.iter().copied().zip(0..).collect();
        let lanes: HashMap<&str, usize> = apps.iter().copied().zip(0..).collect();
        let mut last: HashMap<&str, usize> = HashMap::new();
        let nodes = project.migrations.iter().enumerate().map(|(index, migration)| {
            let app = migration.id.app.as_str();
            let depends_on = migration.depends_on.iter();
            Node {
                id: &migration.id,
                folded: 0,
                lane: lanes.get(app).copied().unwrap_or_default(),
                previous: last.insert(app, index),
                after: depends_on.filter_map(|it| places.get(&it.on).copied()).collect(),
            }
        });
        Graph { nodes: nodes.collect(), migrations: project.migrations.len(), apps }
    }

    /// The same with one node for the middle of each long run of migrations that nothing else hangs on.
    pub(crate) fn folded(&self) -> Graph<'p> {
        let needed: BTreeSet<usize> = self.nodes.iter().flat_map(|node| node.after.iter().copied()).collect();
        let hangs_on_nothing = |index: usize| self.nodes[index].after.is_empty() && !needed.contains(&index);
        let runs = |one: &usize, next: &usize| {
            self.nodes[*one].lane == self.nodes[*next].lane
                && hangs_on_nothing(*one)
                && hangs_on_nothing(*next)
        };
        let (mut nodes, mut places): (Vec<Node<'p>>, HashMap<usize, usize>) = Default::default();
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        for run in all.chunk_by(runs) {
            let hidden = if run.len() >= LONG { 1..run.len() - 1 } else { 0..0 };
            for (at, &index) in run.iter().enumerate() {
                if hidden.contains(&at) && at > hidden.start {
                    continue;
                }
                let Node { id, lane, previous, after, .. } = &self.nodes[index];
                let folded = if hidden.contains(&at) { hidden.len() - 1 } else { 0 };
                let place = |index: &usize| places.get(index).copied();
                // What is before the end of a run is its middle.
                let previous = previous.map(|index| place(&index).unwrap_or(nodes.len().saturating_sub(1)));
                let after = after.iter().filter_map(place).collect();
                places.insert(index, nodes.len());
                nodes.push(Node { id, folded, lane: *lane, previous, after });
            }
        }
        Graph { nodes, migrations: self.migrations, apps: self.apps.clone() }
    }

    /// Says how many migrations and apps there are.
    pub(super) fn title(&self) -> String {
        let migrations = count(self.migrations, "migration", "migrations");
        format!("{migrations} of {}, in the order in which they run", count(self.apps.len(), "app", "apps"))
    }

    /// Names the dependencies of a migration, as `after app/0001_initial`; empty if it has none.
    pub(super) fn after(&self, node: &Node) -> String {
        let names: Vec<String> = node.after.iter().map(|&index| self.nodes[index].id.to_string()).collect();
        if names.is_empty() { String::new() } else { format!("after {}", names.join(", ")) }
    }

    /// Draws a Mermaid flowchart.
    pub(crate) fn mermaid(&self) -> String {
        let name = |index: usize| {
            let MigrationId { app, name } = &self.nodes[index].id;
            format!("{app}_{}", name.split('_').next().unwrap_or_default())
        };
        let mut text = String::from("%% Drawn by cargo xtask graph.\nflowchart LR\n");
        for (lane, app) in self.apps.iter().enumerate() {
            let own: Vec<usize> =
                (0..self.nodes.len()).filter(|&index| self.nodes[index].lane == lane).collect();
            if own.is_empty() {
                continue;
            }
            text += &format!("  subgraph app_{app}[\"{app}\"]\n    direction LR\n");
            for index in own {
                let node = &self.nodes[index];
                text += &format!("    {}[\"{}{}\"]\n", name(index), node.id.name, node.more());
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
