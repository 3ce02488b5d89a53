//! Draws the migrations in the order in which they run, with the dependencies between them.

mod drawing;
mod lanes;
mod nodes;

pub(crate) use self::{lanes::text, nodes::Graph};
