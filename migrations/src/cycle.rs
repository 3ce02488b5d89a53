//! Migrations that wait for each other, with the reason of each edge.
//!
//! Naming the reasons is our idea; Django names the migrations only.

use std::fmt;

use crate::{MigrationId, Place};

/// Why one migration waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Its head names the other one, on this line.
    Head(Place),
    /// It has the next number in the same app; this is its file.
    Number(Place),
}

/// One migration that waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// The one that waits.
    pub from: MigrationId,
    /// The one that it waits for.
    pub to: MigrationId,
    /// Why.
    pub reason: Reason,
}

/// Migrations that wait for each other in a circle: each edge ends where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cycle {
    /// The edges, in order.
    pub edges: Vec<Edge>,
    /// The edge to cut: the one that the manifest's `depends-on` does not allow, if there is one.
    pub against: Option<Edge>,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the migrations wait for each other in a circle; nothing was touched")?;
        let width = |name: fn(&Edge) -> &MigrationId| {
            self.edges.iter().map(|edge| name(edge).to_string().len()).max().unwrap_or(0)
        };
        let (from_width, to_width) = (width(|e| &e.from), width(|e| &e.to));
        for edge in &self.edges {
            let (from, to) = (edge.from.to_string(), edge.to.to_string());
            write!(f, "\n  {from:from_width$} waits for {to:to_width$}  ")?;
            match &edge.reason {
                Reason::Head(place) => write!(f, "({place})")?,
                Reason::Number(place) => write!(f, "({place}, by its number)")?,
            }
        }
        match &self.against {
            Some(Edge { from, to, reason: Reason::Head(place) }) => write!(
                f,
                "\n  cut it: apps.toml does not let {} depend on {}, so move what needs {to} out of {from}\n  into a new \
                 migration of {}, and remove {place}",
                from.app, to.app, to.app
            ),
            _ => f.write_str("\n  cut it: remove one of the `-- depends-on:` lines shown here"),
        }
    }
}
