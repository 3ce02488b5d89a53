//! One data directory: creating it, inspecting it, setting its password, and stopping its server.
//!
//! `launch` starts the server. The callers, the development server (`native`) and the test server (`ephemeral`), choose the
//! folder, the port and the durability.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail};
use rustix::process::Signal;

use crate::{
    account::{Account, LOCALE},
    binaries::Binaries,
    folder::{self, Access, write_private},
    pidfile::{self, PidFile, Read},
    process::{GivenUp, TO_LET_GO, indented, run_to_end},
};

/// The beginning of the names of an unfinished data directory and its password file. They stay if their maker is killed.
const DRAFT: &str = "data.new-";

/// The beginning of the name of a server's Unix socket, before its port, and of the lock beside it.
const SOCKET: &str = ".s.PGSQL.";
/// The longest path of a socket that every system allows.
const LONGEST_SOCKET: usize = 103;

/// The longest wait for a fast shutdown, which ends every session and then writes all changes to disk.
pub(crate) const TO_STOP: Duration = Duration::from_secs(30);

/// The purpose of a data directory.
#[derive(Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// It lasts and survives a power cut, and its role has this password.
    Lasting { password: &'a str },
    /// It is for copying: it has no password, and rejects every connection.
    Model,
}

#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// The folder that contains the data directory, and unfinished ones.
    pub(crate) home: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) log: PathBuf,
}

impl Cluster {
    pub(crate) fn new(home: &Path, log: PathBuf) -> Cluster {
        Cluster { home: home.to_owned(), data: home.join("data"), log }
    }

    /// The major version that wrote the data directory; `None` if there is none.
    pub(crate) fn major(&self) -> anyhow::Result<Option<u32>> {
        let file = self.data.join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => {
                let major = text
                    .trim()
                    .parse()
                    .map_err(|_| self.not_a_cluster(&format!("PG_VERSION says {text:?}")))?;
                Ok(Some(major))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::symlink_metadata(&self.data) {
                Ok(_) => Err(self.not_a_cluster("it has no PG_VERSION")),
                Err(_) => Ok(None),
            },
            Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
        }
    }

    fn not_a_cluster(&self, why: &str) -> anyhow::Error {
        let data = self.data.display();
        anyhow!(
            "{data} is not a data directory: {why}; nothing was touched\n  \
             move it aside: mv {data} {data}.aside"
        )
    }

    /// Removes the drafts of killed commands. The caller must hold the lock, so that only an `initdb` which outlived its
    /// starter may still be writing to them.
    pub(crate) async fn remove_debris(&self) {
        let Ok(entries) = fs::read_dir(&self.home) else { return };
        for entry in entries.flatten().filter(|it| it.file_name().to_string_lossy().starts_with(DRAFT)) {
            let draft = entry.path();
            for pid in pidfile::makers_of(&draft) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
            // Its child ends by itself at the end of its input. If its folder were removed first, its shared memory
            // would stay.
            let began = Instant::now();
            while !pidfile::servers_of(&draft).is_empty() && began.elapsed() < TO_LET_GO {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let _ = fs::remove_dir_all(&draft).or_else(|_| fs::remove_file(&draft));
        }
    }

    /// Creates the data directory, under another name until it is complete.
    pub(crate) async fn create(
        &self,
        binaries: &Binaries,
        account: &Account,
        role: &str,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<()> {
        // A new name each time: an orphaned initdb may still be writing to an earlier one.
        let draft = self.home.join(format!("{DRAFT}{:016x}", rand::random::<u64>()));
        let password_file = self.home.join(format!("{DRAFT}password"));
        let mut args: Vec<_> = options(role, purpose).into_iter().map(Into::into).collect();
        if let Purpose::Lasting { password } = purpose {
            // We create it, because the account may not be allowed to write to the folder.
            write_private(&password_file, password)?;
            account.hand_over(&password_file)?;
            args.push(option("--pwfile=", &password_file));
        }
        folder::ensure(&draft, Access::Private)?;
        account.hand_over(&draft)?;
        args.push(option("--pgdata=", &draft));
        let initdb = account.command(&binaries.program("initdb"), args).stdin_null();
        let created = run_to_end(initdb, GivenUp::Stop).await;
        let _ = fs::remove_file(&password_file);
        if let Err(said) = created {
            let _ = fs::remove_dir_all(&draft);
            bail!(
                "initdb of PostgreSQL {} could not create {}\n{}\n  check the free space: df -h {}",
                binaries.version,
                self.data.display(),
                indented(&said.to_string()),
                self.home.display()
            );
        }
        fs::rename(&draft, &self.data).with_context(|| format!("rename {} to data", draft.display()))?;
        if let Purpose::Lasting { .. } = purpose {
            // The name must be on disk before any data is.
            let home = File::open(&self.home).and_then(|folder| folder.sync_all());
            home.with_context(|| format!("write {} to disk", self.home.display()))?;
        }
        Ok(())
    }

    /// Makes `role` a superuser with this password, without logging in. The server must be stopped.
    pub(crate) async fn set_password(
        &self,
        binaries: &Binaries,
        account: &Account,
        role: &str,
        password: &str,
    ) -> anyhow::Result<()> {
        let (literal, identifier) = (role.replace('\'', "''"), role.replace('"', "\"\""));
        // One line per statement: in a single-user session the end of the line ends the statement.
        let script = format!(
            "set password_encryption = 'scram-sha-256';\n\
             do $xtask$ begin if not exists (select from pg_roles where rolname = '{literal}') then \
             create role \"{identifier}\"; end if; \
             alter role \"{identifier}\" with login superuser password '{password}'; end $xtask$;\n"
        );
        self.run_single_user(binaries, account, &[], script, GivenUp::Leave).await.map_err(|said| {
            anyhow!(
                "the password of {} was lost, and setting another failed\n{}\n  \
                 the data is untouched; fix the cause and try again",
                self.data.display(),
                indented(&said.to_string())
            )
        })
    }

    /// Runs statements, one per line, in a single-user session, which needs no password. The server must be stopped.
    pub(crate) async fn run_single_user(
        &self,
        binaries: &Binaries,
        account: &Account,
        settings: &[&str],
        script: String,
        given_up: GivenUp,
    ) -> anyhow::Result<()> {
        let mut args = vec!["--single".into(), "-D".into(), self.data.clone().into()];
        // Otherwise a failed statement, with the password in it, would appear in the output.
        args.push("--log_min_error_statement=panic".into());
        args.extend(settings.iter().map(Into::into));
        args.push("template1".into());
        let session = account.command(&binaries.program("postgres"), args).stdin_bytes(script);
        run_to_end(session, given_up).await
    }

    /// The running server of this data directory, if any.
    pub(crate) fn running(&self) -> anyhow::Result<Option<PidFile>> {
        match pidfile::read(&self.data)? {
            Read::Complete(file) if pidfile::serves(file.pid, &self.data) => Ok(Some(file)),
            Read::Complete(_) | Read::Absent | Read::Unreadable => Ok(None),
        }
    }

    /// The setting for a Unix socket in the data directory, which only its owner can enter. Removes what a killed server left
    /// of one: a process that has its pid by now would keep the next server from starting.
    pub(crate) fn serve_socket(&self) -> [&'static str; 2] {
        for entry in fs::read_dir(&self.data).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(SOCKET) {
                let _ = fs::remove_file(entry.path());
            }
        }
        // The server's working directory is its data directory. The path of that may be too long for a socket.
        ["--unix_socket_directories=.", "--unix_socket_permissions=0700"]
    }

    /// The folder of the running server's Unix socket. `None`: a client needs TCP, because the path is too long or not UTF-8,
    /// the server was started without a socket, or its login rules, which are the user's to change, have none for it.
    pub(crate) fn socket(&self, port: u16) -> Option<PathBuf> {
        let socket = self.data.join(format!("{SOCKET}{port}"));
        let rules = fs::read_to_string(self.data.join("pg_hba.conf")).ok()?;
        let allowed = rules.lines().any(|line| line.trim_start().starts_with("local"));
        // sqlx makes the path a text.
        let short = socket.to_str().is_some_and(|path| path.len() <= LONGEST_SOCKET);
        let usable = short && socket.exists() && allowed;
        usable.then(|| self.data.clone())
    }

    /// Signals a running server, and waits until it has ended.
    pub(crate) async fn stop(
        &self,
        running: &PidFile,
        signal: Signal,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        let pid = running.pid;
        // ESRCH: it has ended already.
        match rustix::process::kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => bail!("stop the server (pid {pid}): {error}\n  as its owner: kill -INT {pid}"),
        }
        while pidfile::serves_at_a_glance(pid, &self.data).unwrap_or_else(|| pidfile::exists(pid)) {
            if began.elapsed() >= patience {
                bail!(
                    "the server (pid {pid}) has not stopped within {} s\n  its log: {}\n  \
                     stop it at once, without losing data: kill -QUIT {pid}",
                    patience.as_secs(),
                    self.log.display()
                );
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}

/// Creates a data directory in `folder` with the settings of the development server. Starts nothing.
///
/// # Errors
///
/// The folder can't be used, or `initdb` fails; then the message quotes its output.
pub async fn init_data(folder: &Path, binaries: &Binaries, role: &str, password: &str) -> anyhow::Result<()> {
    folder::ensure(folder, Access::Private)?;
    let cluster = Cluster::new(folder, folder.join("server.log"));
    cluster.create(binaries, &Account::choose()?, role, Purpose::Lasting { password }).await
}

/// The options of `initdb`. With its version, they determine its result.
pub(crate) fn options(role: &str, purpose: Purpose) -> Vec<String> {
    let mut options = vec!["--encoding=UTF8".to_owned()];
    options.push(format!("--locale={LOCALE}"));
    options.push(format!("--username={role}"));
    options.extend(match purpose {
        Purpose::Lasting { .. } => vec!["--auth=scram-sha-256".to_owned()],
        Purpose::Model => vec!["--auth=reject".to_owned(), "--no-sync".to_owned()],
    });
    options
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(path);
    option
}
