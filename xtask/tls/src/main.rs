//! `cargo xtask` for a server that is reached with TLS. The usual program has cargo build this one, and hands over to it.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main(&xtask::Host::handed_over(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")))
}
