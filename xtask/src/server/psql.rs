//! Finds psql.

use std::path::PathBuf;

use anyhow::Context;
use cluster::binaries;
use migrations::Postgres;

/// Finds psql on PATH, or beside the server's programs, where Homebrew puts it.
pub(crate) fn find_psql(postgres: &Postgres) -> anyhow::Result<PathBuf> {
    which::which("psql").or_else(|error| psql_of_binaries(postgres).ok_or(error)).context(
        "psql is not on this machine's PATH\n  Debian, Ubuntu: sudo apt-get install postgresql-client\n  macOS: brew \
         install libpq, and add its bin folder to PATH\n  or use another client: cargo xtask db-url",
    )
}

fn psql_of_binaries(postgres: &Postgres) -> Option<PathBuf> {
    let psql = binaries::find_binaries(postgres.version, None).ok()?.program("psql");
    psql.is_file().then_some(psql)
}
