//! What tests and the service that lends them databases say to each other: a line of JSON each way, over a socket of this
//! user's own. One connection is one loan; its end, however it comes, is the end of the loan.

use std::{io, path::Path};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::UnixStream,
};

use crate::content::Recipe;

/// What a client may ask.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// A database.
    Take { recipe: Recipe, loan: Loan, test: String },
    /// The test failed: its database stays for people to look at.
    Keep,
    /// The database was cleaned, and can be lent again.
    Cleaned,
    /// The database that all share was written to: nobody is to get it any more.
    Spoilt,
    /// What was lent so far.
    Report,
    /// To go, unless somebody still needs it.
    End,
}

/// What a database is lent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Loan {
    /// Whatever the test likes.
    Own,
    /// One transaction, which is rolled back: all such tests share one database.
    Transaction,
}

/// What the service answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    Lent { url: String },
    Done,
    Report(Report),
    Error(String),
}

/// What a service has lent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// The server, password included.
    pub server: String,
    /// Databases handed out.
    pub lent: usize,
    /// How long that took, from request to answer, in milliseconds: the median.
    pub median_ms: f64,
    /// The tests that held theirs longest, with seconds.
    pub slowest: Vec<(String, f64)>,
    /// The databases of failed tests that are still there.
    pub kept: usize,
}

/// One end of a connection.
pub(crate) struct Line {
    stream: BufStream<UnixStream>,
}

impl Line {
    pub(crate) fn new(stream: UnixStream) -> Line {
        Line { stream: BufStream::new(stream) }
    }

    pub(crate) async fn connect(socket: &Path) -> io::Result<Line> {
        UnixStream::connect(socket).await.map(Line::new)
    }

    pub(crate) async fn write(&mut self, message: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.stream.write_all(&line).await?;
        Ok(self.stream.flush().await?)
    }

    /// `None`: the other end is gone.
    pub(crate) async fn read<T: DeserializeOwned>(&mut self) -> anyhow::Result<Option<T>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        serde_json::from_str(&line).map(Some).with_context(|| format!("understand {line:?}"))
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        self.write(request).await?;
        match self.read().await? {
            Some(Answer::Error(error)) => bail!(error),
            Some(answer) => Ok(answer),
            None => bail!("the service that lends test databases is gone"),
        }
    }
}
