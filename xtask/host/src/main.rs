//! This repository's `cargo xtask`.

use std::process::ExitCode;

use xtask::Host;

fn main() -> ExitCode {
    // Verbs of your own go here: Host::new(…).verb(xtask::HostVerb::new("deploy", "Deploy it", |host, args| …))
    xtask::main(&Host::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")))
}
