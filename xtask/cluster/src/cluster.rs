//! One data directory: made, looked at, given a password, stopped.
//!
//! Starting it is `launch`'s. Which folder, which port and how durable is for the callers to say: the
//! development server (`native`) and the test server (`ephemeral`).

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

/// What a half-made data directory is called, and its password file: debris if its maker did not come to the
/// end.
const DRAFT: &str = "data.new-";

/// A fast shutdown ends every session, and then writes what is in memory.
pub(crate) const TO_STOP: Duration = Duration::from_secs(30);

/// What a data directory is made for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// To be kept: it survives a power cut, and its role has this password.
    Lasting { password: &'a str },
    /// To be copied: it has no password, and lets nobody in.
    Model,
}

#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// The folder of the data directory; drafts are made in it.
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
             put it aside: mv {data} {data}.aside"
        )
    }

    /// Removes what makers that were killed have left. The caller holds the lock, so nobody is at it now, but
    /// for an `initdb` that has outlived its starter.
    pub(crate) async fn remove_debris(&self) {
        let Ok(entries) = fs::read_dir(&self.home) else { return };
        for entry in entries.flatten().filter(|it| it.file_name().to_string_lossy().starts_with(DRAFT)) {
            let draft = entry.path();
            for pid in pidfile::makers_of(&draft) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
            // What it had started ends by itself, without its input; without its folder it would leave its
            // shared memory behind.
            let began = Instant::now();
            while !pidfile::servers_of(&draft).is_empty() && began.elapsed() < TO_LET_GO {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let _ = fs::remove_dir_all(&draft).or_else(|_| fs::remove_file(&draft));
        }
    }

    /// Makes the data directory, under another name until it is complete.
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
            // Made here and handed over, because the account may not be allowed to write to the folder.
            write_private(&password_file, password)?;
            account.own(&password_file)?;
            args.push(option("--pwfile=", &password_file));
        }
        folder::ensure(&draft, Access::Private)?;
        account.own(&draft)?;
        args.push(option("--pgdata=", &draft));
        let initdb = account.command(&binaries.program("initdb"), args).stdin_null();
        let made = run_to_end(initdb, GivenUp::Stop).await;
        let _ = fs::remove_file(&password_file);
        if let Err(said) = made {
            let _ = fs::remove_dir_all(&draft);
            bail!(
                "initdb of PostgreSQL {} could not make {}\n{}\n  see what room is left: df -h {}",
                binaries.version,
                self.data.display(),
                indented(&said.to_string()),
                self.home.display()
            );
        }
        fs::rename(&draft, &self.data).with_context(|| format!("name {} data", draft.display()))?;
        if let Purpose::Lasting { .. } = purpose {
            // The name must be on disk before anybody's data is.
            let home = File::open(&self.home).and_then(|folder| folder.sync_all());
            home.with_context(|| format!("write {} to disk", self.home.display()))?;
        }
        Ok(())
    }

    /// Makes `role` a superuser with this password, without knowing any other. The server must be stopped.
    pub(crate) async fn set_password(
        &self,
        binaries: &Binaries,
        account: &Account,
        role: &str,
        password: &str,
    ) -> anyhow::Result<()> {
        let (literal, identifier) = (role.replace('\'', "''"), role.replace('"', "\"\""));
        // One line a statement: a single-user session takes the end of the line for the end of the statement.
        let script = format!(
            "set password_encryption = 'scram-sha-256';\n\
             do $xtask$ begin if not exists (select from pg_roles where rolname = '{literal}') then \
             create role \"{identifier}\"; end if; \
             alter role \"{identifier}\" with login superuser password '{password}'; end $xtask$;\n"
        );
        self.alone(binaries, account, &[], script, GivenUp::Leave).await.map_err(|said| {
            anyhow!(
                "the password of {} was lost, and setting another failed\n{}\n  \
                 the data is untouched; try again once that is mended",
                self.data.display(),
                indented(&said.to_string())
            )
        })
    }

    /// Runs statements, a line each, in a session that is the whole server, and asks nobody for a password. The server
    /// must be stopped.
    pub(crate) async fn alone(
        &self,
        binaries: &Binaries,
        account: &Account,
        settings: &[&str],
        script: String,
        given_up: GivenUp,
    ) -> anyhow::Result<()> {
        let mut args = vec!["--single".into(), "-D".into(), self.data.clone().into()];
        // A failed statement would be repeated in the output, and with it a password.
        args.push("--log_min_error_statement=panic".into());
        args.extend(settings.iter().map(Into::into));
        args.push("template1".into());
        let session = account.command(&binaries.program("postgres"), args).stdin_bytes(script);
        run_to_end(session, given_up).await
    }

    /// The running server of this data directory, if there is one.
    pub(crate) fn running(&self) -> anyhow::Result<Option<PidFile>> {
        match pidfile::read(&self.data)? {
            Read::Complete(file) if pidfile::serves(file.pid, &self.data) => Ok(Some(file)),
            Read::Complete(_) | Read::Absent | Read::Unreadable => Ok(None),
        }
    }

    /// Signals the running server and waits until it is gone.
    pub(crate) async fn stop(
        &self,
        running: &PidFile,
        signal: Signal,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        let pid = running.pid;
        // ESRCH: it was quicker.
        match rustix::process::kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => bail!("stop the server (pid {pid}): {error}\n  as its owner: kill -INT {pid}"),
        }
        while pidfile::serves_at_a_glance(pid, &self.data).unwrap_or_else(|| pidfile::exists(pid)) {
            if began.elapsed() >= patience {
                bail!(
                    "the server (pid {pid}) has not stopped within {} s\n  its log: {}\n  \
                     stop it at once, without loss: kill -QUIT {pid}",
                    patience.as_secs(),
                    self.log.display()
                );
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}

/// Makes a data directory in `folder` as the development server's is made, and starts nothing.
///
/// # Errors
///
/// The folder can't be used, or `initdb` fails; the message quotes it.
pub async fn init_data(folder: &Path, binaries: &Binaries, role: &str, password: &str) -> anyhow::Result<()> {
    folder::ensure(folder, Access::Private)?;
    let cluster = Cluster::new(folder, folder.join("server.log"));
    cluster.create(binaries, &Account::choose()?, role, Purpose::Lasting { password }).await
}

/// What `initdb` makes depends on, but for its version.
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
