//! The programs of PostgreSQL that ours are measured against.

use std::{ffi::OsString, path::Path};

use anyhow::Context;
use duct::{Expression, cmd};
use url::Url;

use crate::database::libpq::Variables;

/// A program that connects to a database of a server, with the password in its environment.
pub(super) fn client<W: Into<OsString>>(
    program: &Path,
    words: impl IntoIterator<Item = W>,
    server: &Url,
    database: &str,
) -> anyhow::Result<Expression> {
    let mut url = server.clone();
    url.set_path(database);
    let options = url.as_str().parse().context("read the server's URL")?;
    let program = cmd(program, words).env("PGOPTIONS", "--client-min-messages=warning");
    Ok(Variables::for_database(&url, &options).give(program))
}
