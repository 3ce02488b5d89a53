//! The name by which this program was called. `cargo xtask` runs it under its own name, so that its messages show commands
//! that exist there.

use std::{env, path::Path};

/// What people type before the verb.
pub(crate) fn name() -> String {
    let first = env::args_os().next().unwrap_or_default();
    let name = Path::new(&first).file_name().map(|name| name.to_string_lossy().into_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| env!("CARGO_BIN_NAME").to_owned())
}

/// The command that writes the reference data: `backend migrate` writes them, `cargo xtask migrate` does not.
pub(crate) fn seeding() -> String {
    let name = name();
    let verb = if name.ends_with("xtask") { "seed" } else { "migrate" };
    format!("{name} {verb}")
}
