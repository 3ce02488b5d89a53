//! One end of a connection to the service.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error,
    protocol::{Answer, Request},
};

/// One end of a connection to the service, which blocks.
#[derive(Debug)]
pub struct Line {
    stream: BufReader<UnixStream>,
}

impl Line {
    /// Over a connection that is open.
    pub fn new(stream: UnixStream) -> Line {
        Line { stream: BufReader::new(stream) }
    }

    /// Connects to the service of a socket.
    ///
    /// # Errors
    /// If no service answers there.
    pub fn connect(socket: &Path) -> Result<Line, Error> {
        UnixStream::connect(socket)
            .map(Line::new)
            .map_err(|error| Error::because(format!("reach the service at {}", socket.display()), error))
    }

    /// Sends a request, and waits for the answer.
    ///
    /// # Errors
    /// If the service is gone, or refuses.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, Error> {
        self.send(request)?;
        match self.receive()? {
            Some(Answer::Error(error)) => Err(Error::new(error)),
            Some(answer) => Ok(answer),
            None => Err(Error::because(
                "the service that lends test databases is gone",
                io::Error::from(io::ErrorKind::UnexpectedEof),
            )),
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// If the other end is gone.
    pub fn send(&mut self, message: &impl Serialize) -> Result<(), Error> {
        let failed = |error| Error::because("write to the service that lends test databases", error);
        let mut line = serde_json::to_vec(message).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).map_err(failed)
    }

    /// Waits for one message; `None` if the other end is gone.
    ///
    /// # Errors
    /// If it can't be read or understood.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        let read =
            read.map_err(|error| Error::because("read from the service that lends test databases", error));
        if read? == 0 {
            return Ok(None);
        }
        serde_json::from_str(&line)
            .map(Some)
            .map_err(|error| Error::because(format!("understand {line:?}"), error))
    }
}
