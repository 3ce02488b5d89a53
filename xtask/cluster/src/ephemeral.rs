//! The test server: in memory, without durability, and stopped when its owner ends.
//!
//! Its owner is the process that starts it. If that is killed, the server runs on until the next test server starts, which
//! removes it (`owned`). The caller creates the databases.

use std::{
    fs, io,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail};
use rustix::process::Signal;
use xtask_protocol::THROWAWAY_SETTINGS;

use crate::{
    account::Account,
    binaries::Binaries,
    cache::Cache,
    cluster::{Cluster, Purpose, options},
    launch::Launch,
    owned::{self, OwnedFolder, Place},
    pidfile::{self, PidFile},
    process::{GivenUp, TO_DROP, indented},
    state::new_password,
    surroundings::{Login, Surroundings},
};

/// The longest wait for an immediate shutdown, which writes nothing.
const TO_STOP: Duration = Duration::from_secs(10);

/// Keeps shared memory in the server's own folder, so that removing the folder leaves nothing behind.
const OWN_MEMORY: &str = "--dynamic_shared_memory_type=mmap";

/// The settings of the session that sets the password. They suffice, and it starts in half the time.
const SINGLE_USER: &[&str] = &["--fsync=off", "--shared_buffers=1MB", OWN_MEMORY];

/// The setting for a cheap login, and its authentication method. No one can guess a password of 160 random bits, however
/// cheap a guess is, and hashing it 4096 times would be half the cost of a connection.
fn cheap_login(major: u32) -> (&'static str, &'static str) {
    match major {
        // Its number of hashes can't be set.
        ..16 => ("--password_encryption=md5", "md5"),
        // From 18 on Postgres warns about md5.
        _ => ("--scram_iterations=1", "scram-sha-256"),
    }
}

/// A running test server.
pub struct Ephemeral {
    // The order matters: the server must stop before its folder is removed.
    serving: Serving,
    role: String,
    password: String,
    version: String,
    elapsed: Duration,
    folder: OwnedFolder,
}

impl Ephemeral {
    /// Removes the servers of dead owners, and starts one whose superuser is `role`.
    ///
    /// If it does not start, its folder stays until the next start, so that its log can be read. An interrupted start, as
    /// by Ctrl-C, leaves nothing.
    ///
    /// # Errors
    ///
    /// There are no programs, there is no folder for it, or it does not start; then the message quotes its log.
    pub async fn start(
        surroundings: &impl Surroundings,
        minimum_major: u32,
        role: &str,
    ) -> anyhow::Result<Ephemeral> {
        let began = Instant::now();
        let binaries = surroundings.programs(minimum_major, None).await?;
        let account = Account::choose()?;
        let mut folder = OwnedFolder::create(&account).await?;
        let cluster = Cluster::new(&folder.path, folder.path.join("server.log"));
        let password = new_password();
        let start = Start {
            surroundings,
            binaries: &binaries,
            account: &account,
            cluster: &cluster,
            role,
            password: &password,
        };
        let serving = match start.run().await {
            Ok(serving) => serving,
            Err(error) => {
                folder.keep();
                return Err(error);
            }
        };
        let (role, version, elapsed) = (role.to_owned(), binaries.version, began.elapsed());
        Ok(Ephemeral { serving, role, password, version, elapsed, folder })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.serving.running.port
    }

    /// Its superuser.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// That role's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The version of its programs, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where its data is.
    pub fn place(&self) -> &Place {
        &self.folder.place
    }

    /// The folders of killed owners that the start removed.
    pub fn cleared(&self) -> &[PathBuf] {
        &self.folder.cleared
    }

    /// The time from the beginning of the start to the first answer.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Stops the server and removes its folder.
    ///
    /// # Errors
    ///
    /// The server did not stop in time, or its folder can't be removed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.serving.cluster.stop(&self.serving.running, Signal::QUIT, TO_STOP).await?;
        self.folder.remove()
    }
}

/// The parameters of a start.
struct Start<'a, S> {
    surroundings: &'a S,
    binaries: &'a Binaries,
    account: &'a Account,
    cluster: &'a Cluster,
    role: &'a str,
    password: &'a str,
}

impl<S: Surroundings> Start<'_, S> {
    /// Starts the server on a copy of the cached data directory. If there is none, or it fails, `initdb` creates one.
    async fn run(&self) -> anyhow::Result<Serving> {
        let data = &self.cluster.data;
        let cache = Cache::for_options(self.binaries, &options(self.role, Purpose::Model));
        if cache.as_ref().is_some_and(|cache| cache.unpack(data, self.account).is_ok())
            && let Ok(serving) = self.serve().await
        {
            return Ok(serving);
        }
        owned::stop_servers_of(data).await?;
        match fs::remove_dir_all(data) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("remove {}", data.display()));
            }
            Ok(()) | Err(_) => {}
        }
        self.cluster.create(self.binaries, self.account, self.role, Purpose::Model).await?;
        if let Some(cache) = cache {
            cache.store(data);
        }
        self.serve().await
    }

    /// Sets the password in the data directory, and starts the server.
    ///
    /// The password must be set before the server accepts connections. Logging in with a cached password and replacing it
    /// would save 20 ms, but until then the cached one would work, and after a killed start it always would.
    async fn serve(&self) -> anyhow::Result<Serving> {
        let (cluster, binaries, account) = (self.cluster, self.binaries, self.account);
        let (setting, method) = cheap_login(binaries.major);
        let hba = ["all", "replication"].map(|what| format!("host {what} all 127.0.0.1/32 {method}\n"));
        let hba_file = cluster.data.join("pg_hba.conf");
        fs::write(&hba_file, hba.concat()).with_context(|| format!("write {}", hba_file.display()))?;

        let role = self.role.replace('"', "\"\"");
        let script = format!("alter role \"{role}\" password '{}';\n", self.password);
        let settings = [SINGLE_USER, &[setting]].concat();
        // It takes 20 ms; if it were killed, its shared memory would stay.
        let session = cluster.run_single_user(binaries, account, &settings, script, GivenUp::Finish).await;
        session.map_err(|said| {
            anyhow!("could not set the password of the new test server\n{}", indented(&said.to_string()))
        })?;

        let (settings, port) = ([&THROWAWAY_SETTINGS[..], &[OWN_MEMORY, setting]].concat(), None);
        let launch =
            Launch { cluster, binaries, account, settings: &settings, port, given_up: GivenUp::Stop };
        let serving = Serving { cluster: cluster.clone(), running: launch.run().await? };
        match self.surroundings.log_in(serving.running.port, self.role, self.password).await? {
            Login::Answered => Ok(serving),
            Login::Refused => bail!("the new test server rejects its own password"),
        }
    }
}

/// A running server and its data directory.
struct Serving {
    cluster: Cluster,
    running: PidFile,
}

/// For a panic, or a return by `?`: stops the server, waits only briefly and reports nothing. If it fails, the next start
/// removes the server. After `stop` there is nothing to do. The folder has a `Drop` of its own, which runs afterwards.
impl Drop for Serving {
    fn drop(&mut self) {
        let began = Instant::now();
        let lives = || pidfile::serves(self.running.pid, &self.cluster.data);
        if lives() && rustix::process::kill_process(self.running.pid, Signal::QUIT).is_ok() {
            while lives() && began.elapsed() < TO_DROP {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}
