//! One end of a connection between a test and the service, for those who must not block.

use std::{io, path::Path};

use anyhow::{Context, bail};
use serde::{Serialize, de::DeserializeOwned};
use tests_client::{Answer, Request};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::UnixStream,
};

/// One end of a connection. [`tests_client::Line`] is the same, and blocks.
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

    /// Waits for a message; `None` if the other end is gone.
    pub(crate) async fn read<T: DeserializeOwned>(&mut self) -> anyhow::Result<Option<T>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        serde_json::from_str(&line).map(Some).with_context(|| format!("understand {line:?}"))
    }

    /// Sends a request, and waits for the answer.
    pub(crate) async fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        self.write(request).await?;
        match self.read().await? {
            Some(Answer::Error(error)) => bail!(error),
            Some(answer) => Ok(answer),
            None => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the service that lends test databases is gone",
            )
            .into()),
        }
    }
}
