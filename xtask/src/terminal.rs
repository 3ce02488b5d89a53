//! How we meet people and the system: output, exit codes, Ctrl-C, and programs in the foreground.
//!
//! It imports nothing of ours.

pub(crate) mod child;
pub(crate) mod exit;
pub(crate) mod format;
pub(crate) mod interrupt;
pub(crate) mod output;
pub(crate) mod shell;
