//! Brings a development server from any state to a running one.
//!
//! The caller holds the lock of the server's home and has found no running server. This removes nothing that belongs to the
//! user: only unfinished data directories, and `postmaster.pid` files that provably name no server.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::Signal;

use crate::{
    account::Account,
    binaries::Binaries,
    cluster::{Cluster, Purpose, TO_STOP},
    home::Home,
    launch::{self, Launch},
    pidfile::{self, PidFile, Read},
    port::free_port,
    process::{GivenUp, TO_LET_GO},
    state::{self, Found, State},
    surroundings::{Login, Surroundings},
};

/// The longest wait for a server that is writing its first `postmaster.pid`.
const TO_WRITE: Duration = Duration::from_secs(1);

/// A server on 127.0.0.1 that has just answered.
pub struct Running {
    /// Its port.
    pub port: u16,
    /// The folder of its Unix socket, if that can be used.
    pub socket: Option<PathBuf>,
    /// Its superuser.
    pub role: String,
    /// That role's password.
    pub password: String,
    /// Whether it had to be created or started.
    pub started: Startup,
    /// Changes to report to the user, one sentence each.
    pub notes: Vec<String>,
}

/// Whether a server had to be created or started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Startup {
    /// It was running already.
    AlreadyRunning,
    /// Its data existed, and the server was started.
    Started {
        /// How long the start took.
        elapsed: Duration,
    },
    /// Its data was created, and the server was started.
    Created {
        /// How long both took.
        elapsed: Duration,
    },
}

impl Running {
    pub(crate) fn new(
        cluster: &Cluster,
        state: &State,
        file: &PidFile,
        started: Startup,
        notes: Vec<String>,
    ) -> Running {
        let (role, password) = (state.role.clone(), state.password.clone());
        let (port, socket) = (file.port, cluster.socket(file.port));
        Running { port, socket, role, password, started, notes }
    }
}

/// Creates the server's data if there is none, and starts the server.
pub(crate) async fn revive<S: Surroundings>(
    home: &Home,
    surroundings: &S,
    began: Instant,
) -> anyhow::Result<Running> {
    let mut revival = Revival { home, surroundings, began, notes: Vec::new() };
    let state = revival.read_state()?;
    let cluster = home.cluster();
    cluster.remove_debris().await;
    match cluster.major()? {
        None => revival.create(state).await,
        Some(major) => revival.restart(&cluster, major, state).await,
    }
}

/// A server that is being started.
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
                self.notes
                    .push(format!("the state file was unreadable, and was renamed to {}", aside.display()));
                None
            }
        })
    }

    async fn create(mut self, old: Option<State>) -> anyhow::Result<Running> {
        let binaries = self.surroundings.programs(self.home.minimum_major, None).await?;
        let account = Account::choose()?;
        let cluster = self.home.new_cluster(&account)?;
        cluster.remove_debris().await;
        // The URL stays the same if the user removed only the data.
        let (port, password) = match old {
            Some(state) => (state.port, state.password),
            None => (free_port()?, state::new_password()),
        };
        let checkout = self.home.checkout.clone();
        let mut state = State { port, role: self.home.role.clone(), password, binaries, checkout };
        // Before creating the data, so that its password is never lost.
        state::write(&self.home.folder, &state)?;
        let purpose = Purpose::Lasting { password: &state.password };
        cluster.create(&state.binaries, &account, &state.role, purpose).await?;
        let file = launch(&cluster, &state, &account).await?;
        match self.log_in(&state, &file).await? {
            Login::Answered => {}
            Login::Refused => bail!("the new server in {} rejects its own password", cluster.data.display()),
        }
        self.settle_port(&mut state, &file)?;
        Ok(Running::new(
            &cluster,
            &state,
            &file,
            Startup::Created { elapsed: self.began.elapsed() },
            self.notes,
        ))
    }

    async fn restart(mut self, cluster: &Cluster, major: u32, old: Option<State>) -> anyhow::Result<Running> {
        self.refuse_too_old(cluster, major)?;
        let account = Account::owner_of(&cluster.data)?;
        let binaries = self.binaries_of(cluster, major, old.as_ref()).await?;
        let role = self.home.role.clone();
        let lost = match &old {
            Some(state) if state.role == role => None,
            Some(_) => Some("the role has changed"),
            None => Some("the state file was lost"),
        };
        let checkout = self.home.checkout.clone();
        let mut state = match &old {
            Some(old) => State { role, binaries, checkout, ..old.clone() },
            None => State { port: free_port()?, role, password: state::new_password(), binaries, checkout },
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
                        let why = "the server rejected the password in the state file";
                        self.launch_with_new_password(cluster, &account, &state, Some(file), why).await?
                    }
                }
            }
        };
        if old.as_ref() != Some(&state) {
            state::write(&self.home.folder, &state)?;
        }
        self.settle_port(&mut state, &file)?;
        Ok(Running::new(
            cluster,
            &state,
            &file,
            Startup::Started { elapsed: self.began.elapsed() },
            self.notes,
        ))
    }

    /// The programs for this data directory: the ones of the last start, or others of the same major version.
    async fn binaries_of(
        &self,
        cluster: &Cluster,
        major: u32,
        old: Option<&State>,
    ) -> anyhow::Result<Binaries> {
        if let Some(state) = old
            && state.binaries.major == major
            && self.surroundings.still_uses(&state.binaries)
        {
            return Ok(state.binaries.clone());
        }
        self.surroundings.programs(self.home.minimum_major, Some(major)).await.with_context(|| {
            format!("only PostgreSQL {major} can open the data in {}", cluster.data.display())
        })
    }

    /// Stops the server if it is running, sets the password to the one in `state`, and starts the server.
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
        // At once, so that the file always has the valid password.
        state::write(&self.home.folder, state)?;
        self.notes.push(format!("{why}, so the role {} has a new password", state.role));
        let file = launch(cluster, state, account).await?;
        match self.log_in(state, &file).await? {
            Login::Answered => Ok(file),
            Login::Refused => bail!(
                "the server in {} rejects the role {}, whose password was just set\n  \
                 check its login rules: less {}",
                cluster.data.display(),
                state.role,
                cluster.data.join("pg_hba.conf").display()
            ),
        }
    }

    async fn log_in(&self, state: &State, file: &PidFile) -> anyhow::Result<Login> {
        self.surroundings.log_in(file.port, &state.role, &state.password).await
    }

    /// Records the port of the server, if it could not get the recorded one.
    fn settle_port(&mut self, state: &mut State, file: &PidFile) -> anyhow::Result<()> {
        if state.port == file.port {
            return Ok(());
        }
        self.notes.push(format!(
            "the server is on port {} instead of {}, so its URL has changed",
            file.port, state.port
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
            "the data in {data} is from PostgreSQL {major}, and this checkout needs {minimum_major} or newer; nothing was \
             touched\n  \
             save what you need, with the programs of PostgreSQL {major}: postgres -D {data} \
             --listen_addresses= --unix_socket_directories=/tmp, and in another terminal: pg_dumpall --host=/tmp \
             --username={role} > dump.sql\n  \
             then remove it, and the next start creates a new one: rm -r {data}",
        );
    }
}

async fn launch(cluster: &Cluster, state: &State, account: &Account) -> anyhow::Result<PidFile> {
    let (binaries, port) = (&state.binaries, Some(state.port));
    let given_up = GivenUp::Leave;
    Launch { cluster, binaries, account, settings: &[], port, given_up }.run().await
}

/// A running server that a killed command left, or the user started by hand.
///
/// Removes a `postmaster.pid` that names a foreign process: Postgres would take any process with that pid for the server.
/// It is safe, because Postgres itself detects a server without its file, by the shared memory of the data directory.
async fn live_server(cluster: &Cluster) -> anyhow::Result<Option<PidFile>> {
    let began = Instant::now();
    let stale = pidfile::path(&cluster.data);
    loop {
        match pidfile::read(&cluster.data)? {
            Read::Absent => return Ok(None),
            Read::Complete(file) if pidfile::serves(file.pid, &cluster.data) => {
                return launch::wait_for_other(cluster, file.pid).await;
            }
            Read::Complete(file) if !pidfile::exists(file.pid) => return Ok(None),
            Read::Unreadable if began.elapsed() < TO_WRITE => {}
            Read::Complete(_) | Read::Unreadable => match pidfile::servers_of(&cluster.data).first() {
                None => {
                    fs::remove_file(&stale).with_context(|| format!("remove {}", stale.display()))?;
                    return Ok(None);
                }
                // The sessions of a killed server end by themselves, mostly at once.
                Some(_) if began.elapsed() < TO_LET_GO => {}
                Some(pid) => bail!(
                    "{} names no server, yet process {pid} uses its data; nothing was touched\n  \
                     stop it without losing data: kill -INT {pid}",
                    stale.display()
                ),
            },
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
