//! The migrations in the order in which they run, and what each waits for.

mod drawing;
mod lanes;
mod nodes;

pub(crate) use self::{lanes::text, nodes::Graph};
