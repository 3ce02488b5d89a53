//! What a new migration was found to do with rows.

/// Lines for the heads of its files.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    pub(super) up: Vec<String>,
    pub(super) down: Vec<String>,
}
