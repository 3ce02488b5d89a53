//! How commands meet people and the system: output, exit codes, Ctrl-C, and programs in the foreground.
//!
//! This room imports nothing from the other rooms or packages.

pub(crate) mod child;
pub(crate) mod commands;
pub(crate) mod exit;
pub(crate) mod format;
pub(crate) mod interrupt;
pub(crate) mod output;
pub(crate) mod question;
pub(crate) mod shell;
