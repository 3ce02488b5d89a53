//! A stand-in for a Maven repository on the loopback interface: its layout, its checksums, and its ways to fail.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use sha2::{Digest as _, Sha512};

/// What `xtask` may request.
const VERSIONS: [&str; 4] = ["15.18.0", "16.14.0", "17.10.0", "18.4.0"];

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    WrongChecksum,
    /// It announces the length, and closes half-way.
    BreaksOff,
    /// It sends half, and then nothing.
    Stalls,
    /// It lists versions that it does not have.
    HasNone,
    ListsNone,
    /// Every page is HTML for people.
    NoRepository,
    /// It has shut down.
    Gone,
}

pub(crate) struct Maven {
    address: SocketAddr,
    sha512: String,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Maven {
    pub(crate) fn with(archive: Vec<u8>) -> Maven {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, asked) = (Arc::new(Mutex::new(Mood::Well)), Arc::new(Mutex::new(Vec::new())));
        let (sha512, archive) = (checksum(&archive), Arc::new(archive));
        let maven = Maven { address, sha512, mood: mood.clone(), asked: asked.clone() };
        thread::spawn(move || {
            for connection in listener.incoming() {
                let now = *mood.lock().unwrap();
                if now == Mood::Gone {
                    return;
                }
                let (archive, asked) = (archive.clone(), asked.clone());
                // A client that is killed, or only checks that something listens, disconnects early.
                thread::spawn(move || serve(connection.ok()?, now, &archive, &asked).ok());
            }
        });
        maven
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/maven2", self.address)
    }

    /// The digest of its archive.
    pub(crate) fn sha512(&self) -> &str {
        &self.sha512
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        if mood == Mood::Gone {
            // It notices that when the last connection closes.
            drop(TcpStream::connect(self.address).unwrap());
            while TcpStream::connect(self.address).is_ok() {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// The number of requests for the archive itself.
    pub(crate) fn downloads(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|path| path.ends_with(".jar")).count()
    }

    /// The number of all requests.
    pub(crate) fn requests(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn serve(
    mut client: TcpStream,
    mood: Mood,
    archive: &[u8],
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let Some(Ok(first)) = lines.next() else { return Ok(()) };
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().unwrap().push(path.clone());
    let artifact = path.split('/').find(|part| part.starts_with("embedded-")).unwrap_or_default();
    let below = format!("/maven2/io/zonky/test/postgres/{artifact}");
    let jar = VERSIONS.iter().any(|version| path == format!("{below}/{version}/{artifact}-{version}.jar"));
    let sum =
        VERSIONS.iter().any(|version| path == format!("{below}/{version}/{artifact}-{version}.jar.sha512"));
    let (status, body) = match mood {
        Mood::NoRepository => ("200 OK", b"<html>Please log in</html>".to_vec()),
        _ if path == format!("{below}/maven-metadata.xml") => ("200 OK", metadata(artifact, mood)),
        Mood::HasNone => ("404 Not Found", Vec::new()),
        Mood::WrongChecksum if sum => ("200 OK", checksum(b"something else").into_bytes()),
        _ if sum => ("200 OK", checksum(archive).into_bytes()),
        _ if jar => ("200 OK", archive.to_vec()),
        _ => ("404 Not Found", Vec::new()),
    };
    write!(client, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    if jar && matches!(mood, Mood::BreaksOff | Mood::Stalls) {
        client.write_all(&body[..body.len() / 2])?;
        if mood == Mood::Stalls {
            // Until the client disconnects.
            while client.peek(&mut [0])? > 0 {}
        }
        return Ok(());
    }
    client.write_all(&body)
}

fn metadata(artifact: &str, mood: Mood) -> Vec<u8> {
    let others = ["14.1.0"];
    let versions: &[&str] = if mood == Mood::ListsNone { &others } else { &VERSIONS };
    let listed: String = versions.iter().map(|version| format!("<version>{version}</version>")).collect();
    let last = versions.last().unwrap();
    format!(
        "<metadata><groupId>io.zonky.test.postgres</groupId><artifactId>{artifact}</artifactId><versioning>\
         <latest>{last}</latest><release>{last}</release><versions>{listed}</versions>\
         <lastUpdated>20260101000000</lastUpdated></versioning></metadata>"
    )
    .into_bytes()
}

fn checksum(bytes: &[u8]) -> String {
    hex::encode(Sha512::digest(bytes))
}
