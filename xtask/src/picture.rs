//! Draws the schema: the graph of the migrations, and the tables with their foreign keys.

pub(crate) mod erd;
pub(crate) mod graph;
pub(crate) mod present;
mod svg;
