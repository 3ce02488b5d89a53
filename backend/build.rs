//! Puts the migrations inside the program, so that a deploy needs no source tree.

use std::io;

fn main() -> io::Result<()> {
    // The checked queries are checked against these files, and their macros don't report that to cargo.
    println!("cargo::rerun-if-changed=../.sqlx");
    migrations_embed::embed("../migrations")
}
