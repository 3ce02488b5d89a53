//! The way from whatever state a development server is in to one that runs.
//!
//! The caller holds the lock of the server's home and has found no running server. Nothing of the user's is ever
//! removed: only half-made data directories, and `postmaster.pid` files that provably name no server.

use std::{
    fs,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::Signal;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    account::Account,
    binaries::Binaries,
    cluster::{Cluster, Purpose, TO_STOP},
    home::Home,
    launch::{self, Launch},
    pidfile::{self, PidFile, Read},
    process::{GivenUp, TO_LET_GO},
    state::{self, Found, State},
    surroundings::{Login, Surroundings},
};

/// Loopback answers at once or never.
const TO_CONNECT: Duration = Duration::from_secs(2);
/// For a server that is just writing its first `postmaster.pid`.
const TO_WRITE: Duration = Duration::from_secs(1);

/// A server that answered just now, on 127.0.0.1.
pub struct Running {
    /// The port that it listens on.
    pub port: u16,
    /// Its superuser.
    pub role: String,
    /// That role's password.
    pub password: String,
    /// What it took to have it running.
    pub started: Startup,
    /// What happened on the way that the user should know, a sentence each.
    pub notes: Vec<String>,
}

/// What it took to have a server running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Startup {
    /// Nothing.
    AlreadyRunning,
    /// Its data was there.
    Started {
        /// How long the start took.
        elapsed: Duration,
    },
    /// Its data was made first.
    Created {
        /// How long both took.
        elapsed: Duration,
    },
}

impl Running {
    pub(crate) fn new(state: &State, file: &PidFile, started: Startup, notes: Vec<String>) -> Running {
        let (role, password) = (state.role.clone(), state.password.clone());
        Running { port: file.port, role, password, started, notes }
    }
}

/// Whether anything listens on that port of this machine.
pub(crate) async fn reachable(port: u16) -> bool {
    matches!(timeout(TO_CONNECT, TcpStream::connect((Ipv4Addr::LOCALHOST, port))).await, Ok(Ok(_)))
}

/// Makes or starts the server.
pub(crate) async fn revive<S: Surroundings>(
    home: &Home,
    surroundings: &S,
    began: Instant,
) -> anyhow::Result<Running> {
    let mut revival = Revival { home, surroundings, began, notes: Vec::new() };
    let known = revival.read_state()?;
    let cluster = home.cluster();
    cluster.remove_debris().await;
    match cluster.major()? {
        None => revival.create(known).await,
        Some(major) => revival.restart(&cluster, major, known).await,
    }
}

/// A server on its way.
struct Revival<'a, S> {
    home: &'a Home,
    surroundings: &'a S,
    began: Instant,
    notes: Vec<String>,
}

impl<S: Surroundings> Revival<'_, S> {
    fn read_state(&mut self) -> anyhow::Result<Option<State>> {
        Ok(match state::read(&self.home.folder)? {
            Found::State(state) => Some(state),
            Found::Absent => None,
            Found::Unreadable { aside } => {
                self.notes.push(format!("the state file was unreadable; it is now {}", aside.display()));
                None
            }
        })
    }

    async fn create(mut self, known: Option<State>) -> anyhow::Result<Running> {
        let binaries = self.surroundings.programs(self.home.minimum_major, None).await?;
        let account = Account::choose()?;
        let cluster = self.home.new_cluster(&account)?;
        cluster.remove_debris().await;
        // A user who has removed the data by hand keeps the URL.
        let (port, password) = match known {
            Some(state) => (state.port, state.password),
            None => (launch::free_port()?, state::new_password()),
        };
        let mut state = State { port, role: self.home.role.clone(), password, binaries };
        // Before the data, so that no data directory is ever without its password.
        state::write(&self.home.folder, &state)?;
        let purpose = Purpose::Lasting { password: &state.password };
        cluster.create(&state.binaries, &account, &state.role, purpose).await?;
        let file = launch(&cluster, &state, &account).await?;
        match self.log_in(&state, &file).await? {
            Login::Answered => {}
            Login::Refused => bail!("the new server in {} refuses its own password", cluster.data.display()),
        }
        self.settle_port(&mut state, &file)?;
        Ok(Running::new(&state, &file, Startup::Created { elapsed: self.began.elapsed() }, self.notes))
    }

    async fn restart(
        mut self,
        cluster: &Cluster,
        major: u32,
        known: Option<State>,
    ) -> anyhow::Result<Running> {
        self.refuse_too_old(cluster, major)?;
        let account = Account::owner_of(&cluster.data)?;
        let binaries = self.binaries_of(cluster, major, known.as_ref()).await?;
        let role = self.home.role.clone();
        let lost = match &known {
            Some(state) if state.role == role => None,
            Some(_) => Some("the role has changed"),
            None => Some("the state file was lost"),
        };
        let mut state = match &known {
            Some(old) => State { role, binaries, ..old.clone() },
            None => State { port: launch::free_port()?, role, password: state::new_password(), binaries },
        };

        let running = live_server(cluster).await?;
        let file = match lost {
            Some(why) => self.launch_with_new_password(cluster, &account, &state, running, why).await?,
            None => {
                let file = match running {
                    Some(file) => file,
                    None => launch(cluster, &state, &account).await?,
                };
                match self.log_in(&state, &file).await? {
                    Login::Answered => file,
                    Login::Refused => {
                        let why = "the server refused the password of the state file";
                        self.launch_with_new_password(cluster, &account, &state, Some(file), why).await?
                    }
                }
            }
        };
        if known.as_ref() != Some(&state) {
            state::write(&self.home.folder, &state)?;
        }
        self.settle_port(&mut state, &file)?;
        Ok(Running::new(&state, &file, Startup::Started { elapsed: self.began.elapsed() }, self.notes))
    }

    /// The programs that can open the data directory: those of the last start, or others of the same major.
    async fn binaries_of(
        &self,
        cluster: &Cluster,
        major: u32,
        known: Option<&State>,
    ) -> anyhow::Result<Binaries> {
        if let Some(state) = known
            && state.binaries.major == major
            && self.surroundings.still_uses(&state.binaries)
        {
            return Ok(state.binaries.clone());
        }
        self.surroundings.programs(self.home.minimum_major, Some(major)).await.with_context(|| {
            format!("only PostgreSQL {major} can open the data in {}", cluster.data.display())
        })
    }

    /// Stops the server if it runs, sets the password of `state`, and starts it.
    async fn launch_with_new_password(
        &mut self,
        cluster: &Cluster,
        account: &Account,
        state: &State,
        running: Option<PidFile>,
        why: &str,
    ) -> anyhow::Result<PidFile> {
        if let Some(file) = running {
            cluster.stop(&file, Signal::INT, TO_STOP).await?;
        }
        cluster.set_password(&state.binaries, account, &state.role, &state.password).await?;
        // At once, so that the file always holds the password that is in force.
        state::write(&self.home.folder, state)?;
        self.notes.push(format!("{why}, so the role {} was given a new password", state.role));
        let file = launch(cluster, state, account).await?;
        match self.log_in(state, &file).await? {
            Login::Answered => Ok(file),
            Login::Refused => bail!(
                "the server in {} refuses the role {}, whose password was set just now\n  \
                 see who may log in, and how: less {}",
                cluster.data.display(),
                state.role,
                cluster.data.join("pg_hba.conf").display()
            ),
        }
    }

    async fn log_in(&self, state: &State, file: &PidFile) -> anyhow::Result<Login> {
        self.surroundings.log_in(file.port, &state.role, &state.password).await
    }

    /// Keeps the port that the server got, which is not the intended one if that was taken.
    fn settle_port(&mut self, state: &mut State, file: &PidFile) -> anyhow::Result<()> {
        if state.port == file.port {
            return Ok(());
        }
        self.notes.push(format!(
            "port {} was taken, so the server is on {} now and its URL has changed",
            state.port, file.port
        ));
        state.port = file.port;
        state::write(&self.home.folder, state)
    }

    fn refuse_too_old(&self, cluster: &Cluster, major: u32) -> anyhow::Result<()> {
        let Home { minimum_major, role, .. } = self.home;
        if major >= *minimum_major {
            return Ok(());
        }
        let data = cluster.data.display();
        bail!(
            "the data in {data} is PostgreSQL {major}'s, and this checkout needs {minimum_major} or newer; nothing was \
             touched\n  \
             keep what matters, with the programs of PostgreSQL {major}: postgres -D {data} \
             --listen_addresses= --unix_socket_directories=/tmp, and beside it: pg_dumpall --host=/tmp \
             --username={role} > dump.sql\n  \
             then remove it, and the next start makes a new one: rm -r {data}",
        );
    }
}

async fn launch(cluster: &Cluster, state: &State, account: &Account) -> anyhow::Result<PidFile> {
    let (binaries, port) = (&state.binaries, Some(state.port));
    let given_up = GivenUp::Leave;
    Launch { cluster, binaries, account, settings: &[], port, given_up }.run().await
}

/// The server of this data directory that a killed command has left, or that somebody has started by hand.
///
/// Postgres takes any living process of the right pid for its server, so a file that names a stranger is removed. The
/// memory of a server that still runs without its file is found by Postgres itself, through the data directory.
async fn live_server(cluster: &Cluster) -> anyhow::Result<Option<PidFile>> {
    let began = Instant::now();
    let stale = pidfile::path(&cluster.data);
    loop {
        match pidfile::read(&cluster.data)? {
            Read::Absent => return Ok(None),
            Read::Complete(file) if pidfile::serves(file.pid, &cluster.data) => {
                return launch::settled(cluster, file.pid).await;
            }
            Read::Complete(file) if !pidfile::exists(file.pid) => return Ok(None),
            Read::Unreadable if began.elapsed() < TO_WRITE => {}
            Read::Complete(_) | Read::Unreadable => match pidfile::servers_of(&cluster.data).first() {
                None => {
                    fs::remove_file(&stale).with_context(|| format!("remove {}", stale.display()))?;
                    return Ok(None);
                }
                // Sessions of a server that was killed end by themselves, mostly at once.
                Some(_) if began.elapsed() < TO_LET_GO => {}
                Some(pid) => bail!(
                    "{} names no server, yet process {pid} is at work there; nothing was touched\n  \
                     stop it without loss: kill -INT {pid}",
                    stale.display()
                ),
            },
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
