//! Our program, and the programs of PostgreSQL that it is measured against.

use std::{ffi::OsString, path::Path};

use anyhow::Context;
use duct::{Expression, cmd};
use url::Url;

use crate::{
    checkout::{ROOT, SERVER_CHOICE},
    database::libpq::Variables,
    terminal::child::this_program,
};

/// A command of ours, in a checkout and on a database.
pub(super) fn xtask(root: &Path, database: &Url, args: &[&str]) -> anyhow::Result<Expression> {
    let program = cmd(this_program()?, args).env(ROOT, root).env(SERVER_CHOICE, "url");
    Ok(program.env("DATABASE_URL", database.as_str()))
}

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
