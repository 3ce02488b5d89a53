//! What `xtask` and the programs that cargo builds for it on demand say to each other.
//!
//! `xtask` starts such a program with a verb, writes one line of JSON to its standard input, a [`Request`], and reads one
//! line from its standard output, a [`Reply`]. Both sides use these types, so a program of another version fails with an
//! error instead of being misunderstood. Passwords travel in these lines only, never on a command line.
//!
//! Not here: anything that takes long to compile, because `xtask` itself is built from this.

pub mod bench;
pub mod docker;
pub mod download;
pub mod endpoint;
pub mod plot;
pub mod program;
mod reply;

pub use reply::{Kind, Refusal, Reply, Request};

/// Settings of every server of ours, in Docker or not, as arguments of `postgres`. With the usual search path, a schema that has
/// the name of the role would take whatever a migration makes without naming a schema.
pub const SETTINGS: [&str; 1] = ["--search_path=public"];

/// Further settings of a test server, in Docker or not, as arguments of `postgres`. Its data is lost in a crash anyway, so nothing waits for a disk, and no
/// background work gets in the way of the tests.
pub const THROWAWAY_SETTINGS: [&str; 6] = [
    "--fsync=off",
    "--synchronous_commit=off",
    "--full_page_writes=off",
    "--autovacuum=off",
    "--jit=off",
    "--max_connections=200",
];
