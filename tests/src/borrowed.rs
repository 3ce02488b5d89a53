//! An async client of the service, for commands rather than tests.

use std::{io, path::Path};

use anyhow::{Context, bail};
use tests_client::{Answer, Recipe, Report, Request, Usage};

use crate::line::Line;

/// A database that a command has for a while. It is removed when this is dropped.
pub struct Borrowed {
    line: Line,
    url: String,
}

impl Borrowed {
    /// Borrows a database from the service of a socket, under a name.
    pub(crate) async fn from_socket(socket: &Path, recipe: &Recipe, name: &str) -> anyhow::Result<Borrowed> {
        let mut line = Line::connect(socket).await.context("reach the test server")?;
        let request = Request::Take { recipe: recipe.clone(), usage: Usage::Own, test: name.to_owned() };
        match line.ask(&request).await? {
            Answer::Lent { url } => Ok(Borrowed { line, url }),
            answer => bail!("expected the service to lend a database, but it answered {answer:?}"),
        }
    }

    /// Its connection string, password included.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leaves the database for people to look at, under the name that it was borrowed with.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn keep(mut self) -> anyhow::Result<()> {
        self.line.ask(&Request::Keep).await.map(drop)
    }
}

/// Whether an error of borrowing says that the service is gone, rather than that it refused.
pub fn is_gone(error: &anyhow::Error) -> bool {
    error.is::<io::Error>()
}

/// Reports what the service of a socket has lent so far.
///
/// # Errors
/// If it does not answer.
pub async fn report(socket: &Path) -> anyhow::Result<Report> {
    match Line::connect(socket).await?.ask(&Request::Report).await? {
        Answer::Report(report) => Ok(report),
        answer => bail!("the service was to report and answered {answer:?}"),
    }
}

/// Ends the service of a socket.
///
/// # Errors
/// If it does not answer, or is in use.
pub async fn end(socket: &Path) -> anyhow::Result<()> {
    Line::connect(socket).await?.ask(&Request::End).await.map(drop)
}
