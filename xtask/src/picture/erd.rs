//! Draws the tables of each app with their columns, and the foreign keys between them.

mod columns;
mod drawing;
mod mermaid;
mod order;
mod schema;
mod text;
mod wires;

pub(crate) use self::{drawing::draw as svg, mermaid::draw as mermaid, schema::Schema, text::text};
