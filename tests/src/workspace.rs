//! Where this library was built.

use std::path::{Path, PathBuf};

/// The folder of the workspace that this library was built in.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
