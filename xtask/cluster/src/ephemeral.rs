//! The test server: in memory, without durability, and gone when its owner is.
//!
//! It belongs to the process that starts it. If that is killed, the server lives on until the next test
//! server starts, which clears it away (`owned`). Databases on it are not made here.

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

/// An immediate shutdown writes nothing.
const TO_STOP: Duration = Duration::from_secs(10);

/// Keeps shared memory in the server's own folder, so that clearing that away leaves nothing behind.
const OWN_MEMORY: &str = "--dynamic_shared_memory_type=mmap";

/// A session that sets a password needs no more, and starts in half the time.
const ALONE: &[&str] = &["--fsync=off", "--shared_buffers=1MB", OWN_MEMORY];

/// What makes a login cheap, and the method that goes with it. A password of 160 random bits is not guessed, however
/// fast a guess is, and hashing it 4096 times is half of what a connection costs.
fn cheap_login(major: u32) -> (&'static str, &'static str) {
    match major {
        // It can't be told to hash less often.
        ..16 => ("--password_encryption=md5", "md5"),
        // From 18 on it warns of md5.
        _ => ("--scram_iterations=1", "scram-sha-256"),
    }
}

/// A running test server.
pub struct Ephemeral {
    // In this order: the server is stopped before its folder goes.
    serving: Serving,
    role: String,
    password: String,
    version: String,
    elapsed: Duration,
    folder: OwnedFolder,
}

impl Ephemeral {
    /// Clears away what dead owners left, and starts a server with one superuser, `role`.
    ///
    /// If it does not start, its folder stays for its log to be read, until the next one starts. A start that is
    /// interrupted, as by Ctrl-C, leaves nothing.
    ///
    /// # Errors
    ///
    /// There are no programs, no folder for it, or it does not start; the message quotes its log.
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

    /// The port on 127.0.0.1.
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

    /// The folders of killed owners that were removed at the start.
    pub fn cleared(&self) -> &[PathBuf] {
        &self.folder.cleared
    }

    /// How long it took from nothing to the first answer.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Stops the server and removes everything that was in it.
    ///
    /// # Errors
    ///
    /// It did not stop in time, or its folder can't be removed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.serving.cluster.stop(&self.serving.running, Signal::QUIT, TO_STOP).await?;
        self.folder.remove()
    }
}

/// What a start needs to know.
struct Start<'a, S> {
    surroundings: &'a S,
    binaries: &'a Binaries,
    account: &'a Account,
    cluster: &'a Cluster,
    role: &'a str,
    password: &'a str,
}

impl<S: Surroundings> Start<'_, S> {
    /// By a copy of the cached data directory. Where there is none, or it does not do, `initdb` makes one.
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
            cache.keep(data);
        }
        self.serve().await
    }

    /// Gives the data directory its password, and starts the server.
    ///
    /// The password is set before there is a server to connect to. A cached one, to log in by once and then to
    /// replace, would save 20 ms and be in force until then, and for good in what a killed start leaves.
    async fn serve(&self) -> anyhow::Result<Serving> {
        let (cluster, binaries, account) = (self.cluster, self.binaries, self.account);
        let (setting, method) = cheap_login(binaries.major);
        let hba = ["all", "replication"].map(|what| format!("host {what} all 127.0.0.1/32 {method}\n"));
        let hba_file = cluster.data.join("pg_hba.conf");
        fs::write(&hba_file, hba.concat()).with_context(|| format!("write {}", hba_file.display()))?;

        let role = self.role.replace('"', "\"\"");
        let script = format!("alter role \"{role}\" password '{}';\n", self.password);
        let settings = [ALONE, &[setting]].concat();
        // Killed, it would leave its shared memory behind; it takes 20 ms.
        let alone = cluster.alone(binaries, account, &settings, script, GivenUp::Finish).await;
        alone.map_err(|said| {
            anyhow!("the new test server takes no password\n{}", indented(&said.to_string()))
        })?;

        let (settings, port) = ([&THROWAWAY_SETTINGS[..], &[OWN_MEMORY, setting]].concat(), None);
        let launch =
            Launch { cluster, binaries, account, settings: &settings, port, given_up: GivenUp::Stop };
        let serving = Serving { cluster: cluster.clone(), running: launch.run().await? };
        match self.surroundings.log_in(serving.running.port, self.role, self.password).await? {
            Login::Answered => Ok(serving),
            Login::Refused => bail!("the new test server refuses its own password"),
        }
    }
}

/// A server, and where.
struct Serving {
    cluster: Cluster,
    running: PidFile,
}

/// For a panic, or a return by `?`: takes the server down, but reports nothing and waits briefly. What it
/// does not get done is cleared away by the next start. After `stop` it finds nothing to do. The folder goes after
/// it, by a `Drop` of its own.
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
