//! This repository's `cargo xtask`.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main(&xtask::Host::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")))
}
