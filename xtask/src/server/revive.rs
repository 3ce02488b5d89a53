//! The way from whatever state a development server is in to one that runs.
//!
//! Part of `native`, entered with its lock held, when the server was found not to be running. Nothing of the
//! user's is ever removed: only half-made data directories, and `postmaster.pid` files that provably name
//! nobody.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::Signal;

use super::{
    account::Account,
    cluster::{Cluster, Purpose},
    launch::{self, GivenUp, Launch, TO_LET_GO},
    login::{Login, login_options, try_login},
    native::{Native, Running, STOP_PATIENCE, Startup},
    pidfile::{self, PidFile, Read},
    state::{self, Found, State},
};

/// For a server that is just writing its first `postmaster.pid`.
const TO_WRITE: Duration = Duration::from_secs(1);

/// Whether the password in the state file is the one that the server wants.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Password {
    /// Not known to be wrong.
    Kept,
    Lost {
        why: &'static str,
    },
}

impl Native {
    /// Makes or starts the server.
    pub(super) async fn revive(&self, began: Instant) -> anyhow::Result<Running> {
        let mut notes = Vec::new();
        let known = match state::read(&self.folder)? {
            Found::State(state) => Some(state),
            Found::Absent => None,
            Found::Unreadable { aside } => {
                notes.push(format!("the state file was unreadable; it is now {}", aside.display()));
                None
            }
        };
        let cluster = self.cluster();
        cluster.remove_debris().await;
        match cluster.major()? {
            None => self.create(known, began, notes).await,
            Some(major) => self.restart(cluster, major, known, began, notes).await,
        }
    }

    async fn create(
        &self,
        known: Option<State>,
        began: Instant,
        mut notes: Vec<String>,
    ) -> anyhow::Result<Running> {
        let binaries = self.programs.find(self.minimum_major, None).await?;
        let account = Account::choose()?;
        let cluster = self.place(&account)?;
        cluster.remove_debris().await;
        // Whoever has removed the data by hand keeps the URL.
        let (port, password) = match known {
            Some(state) => (state.port, state.password),
            None => (launch::free_port()?, state::new_password()),
        };
        let mut state = State { port, role: self.role.clone(), password, binaries };
        // Before the data, so that no data directory is ever without its password.
        state::write(&self.folder, &state)?;
        let purpose = Purpose::Lasting { password: &state.password };
        cluster.create(&state.binaries, &account, &state.role, purpose).await?;
        let file = launch(&cluster, &state, &account).await?;
        match try_login(login_options(file.port, &state.role, &state.password)).await? {
            Login::Answered => {}
            Login::Refused => bail!("the new server in {} refuses its own password", cluster.data.display()),
        }
        self.settle_port(&mut state, &file, &mut notes)?;
        Ok(self.describe(&state, &file, Startup::Created { elapsed: began.elapsed() }, notes))
    }

    async fn restart(
        &self,
        cluster: Cluster,
        major: u32,
        known: Option<State>,
        began: Instant,
        mut notes: Vec<String>,
    ) -> anyhow::Result<Running> {
        self.refuse_too_old(&cluster, major)?;
        let account = Account::owner_of(&cluster.data)?;
        let binaries = match &known {
            Some(state) if state.binaries.major == major && self.programs.are_still(&state.binaries) => {
                state.binaries.clone()
            }
            Some(_) | None => {
                self.programs.find(self.minimum_major, Some(major)).await.with_context(|| {
                    format!(
                        "the data in {} can be opened by PostgreSQL {major} alone",
                        cluster.data.display()
                    )
                })?
            }
        };
        let mut password = match &known {
            Some(state) if state.role == self.role => Password::Kept,
            Some(_) => Password::Lost { why: "the role is another than before" },
            None => Password::Lost { why: "the state file was lost" },
        };
        let role = self.role.clone();
        let mut state = match &known {
            Some(old) => State { role, binaries, ..old.clone() },
            None => State { port: launch::free_port()?, role, password: state::new_password(), binaries },
        };

        let mut running = live_server(&cluster).await?;
        let file = loop {
            if let Password::Lost { why } = password {
                if let Some(file) = running.take() {
                    cluster.stop(&file, Signal::INT, STOP_PATIENCE).await?;
                }
                cluster.set_password(&state.binaries, &account, &state.role, &state.password).await?;
                // At once: whoever has the file has the password that is in force.
                state::write(&self.folder, &state)?;
                notes.push(format!("{why}, so the role {} was given a password anew", state.role));
            }
            let file = match running.take() {
                Some(file) => file,
                None => launch(&cluster, &state, &account).await?,
            };
            match (try_login(login_options(file.port, &state.role, &state.password)).await?, &password) {
                (Login::Answered, _) => break file,
                (Login::Refused, Password::Kept) => {
                    password = Password::Lost { why: "the server refused the password of the state file" };
                    running = Some(file);
                }
                (Login::Refused, Password::Lost { .. }) => bail!(
                    "the server in {} refuses the role {}, whose password was set just now\n  \
                     see who may log in, and how: less {}",
                    cluster.data.display(),
                    state.role,
                    cluster.data.join("pg_hba.conf").display()
                ),
            }
        };
        if known.as_ref() != Some(&state) {
            state::write(&self.folder, &state)?;
        }
        self.settle_port(&mut state, &file, &mut notes)?;
        Ok(self.describe(&state, &file, Startup::Started { elapsed: began.elapsed() }, notes))
    }

    /// Keeps the port that the server got, which is another than it should be if that was taken.
    fn settle_port(&self, state: &mut State, file: &PidFile, notes: &mut Vec<String>) -> anyhow::Result<()> {
        if state.port == file.port {
            return Ok(());
        }
        notes.push(format!(
            "port {} was taken, so the server is on {} now and its URL has changed",
            state.port, file.port
        ));
        state.port = file.port;
        state::write(&self.folder, state)
    }

    fn refuse_too_old(&self, cluster: &Cluster, major: u32) -> anyhow::Result<()> {
        if major >= self.minimum_major {
            return Ok(());
        }
        let data = cluster.data.display();
        bail!(
            "the data in {data} is PostgreSQL {major}'s, and {} or newer is wanted; nothing was touched\n  \
             keep what is of worth, with the programs of PostgreSQL {major}: postgres -D {data} \
             --listen_addresses= --unix_socket_directories=/tmp, and beside it: pg_dumpall --host=/tmp \
             --username={} > dump.sql\n  \
             then remove it, and the next start makes a new one: rm -r {data}",
            self.minimum_major,
            self.role
        );
    }
}

async fn launch(cluster: &Cluster, state: &State, account: &Account) -> anyhow::Result<PidFile> {
    let (binaries, port) = (&state.binaries, Some(state.port));
    let given_up = GivenUp::Leave;
    Launch { cluster, binaries, account, settings: &[], port, given_up }.run().await
}

/// The server of this data directory that a killed command has left, or that someone has started by hand.
///
/// Postgres takes any living process of the right pid for its server, so a file that names a stranger is
/// removed. The memory of a server that still runs without its file is found by Postgres itself, through the
/// data directory.
async fn live_server(cluster: &Cluster) -> anyhow::Result<Option<PidFile>> {
    let began = Instant::now();
    let stale = pidfile::path(&cluster.data);
    loop {
        match pidfile::read(&cluster.data)? {
            Read::Absent => return Ok(None),
            Read::Complete(file) if pidfile::serves(file.pid, &cluster.data) => {
                return cluster.settled(file.pid).await;
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
                    "{} names no server, and yet one is at work there (pid {pid}); nothing was touched\n  \
                     stop it without loss: kill -INT {pid}",
                    stale.display()
                ),
            },
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
