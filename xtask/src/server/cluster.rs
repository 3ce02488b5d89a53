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

use super::{
    account::{Account, LOCALE},
    binaries::Binaries,
    folder::write_private,
    launch::{GivenUp, TO_LET_GO},
    pidfile::{self, PidFile, Read},
};

/// What a half-made data directory is called, and its password file: debris if its maker did not come to the
/// end.
const DRAFT: &str = "data.new-";

/// For what a killed `initdb` had started to notice, which it does between two of its steps.
const TO_END: Duration = Duration::from_secs(2);

/// What a data directory is made for.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// To be kept: it survives a power cut, and its role has this password.
    Lasting { password: &'a str },
    /// To be copied: it has no password, and lets nobody in.
    Model,
}

#[derive(Clone, Debug)]
pub(super) struct Cluster {
    /// The folder of the data directory; drafts are made in it.
    pub(super) home: PathBuf,
    pub(super) data: PathBuf,
    pub(super) log: PathBuf,
}

impl Cluster {
    pub(super) fn new(home: &Path, log: PathBuf) -> Cluster {
        Cluster { home: home.to_owned(), data: home.join("data"), log }
    }

    /// The major version that wrote the data directory; `None` if there is none.
    pub(super) fn major(&self) -> anyhow::Result<Option<u32>> {
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
    pub(super) async fn remove_debris(&self) {
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
    pub(super) async fn create(
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
        super::folder::ensure(&draft, super::folder::Access::Private)?;
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
    pub(super) async fn set_password(
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
    pub(super) async fn alone(
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
    pub(super) fn running(&self) -> anyhow::Result<Option<PidFile>> {
        match pidfile::read(&self.data)? {
            Read::Complete(file) if pidfile::serves(file.pid, &self.data) => Ok(Some(file)),
            Read::Complete(_) | Read::Absent | Read::Unreadable => Ok(None),
        }
    }

    /// Signals the running server and waits until it is gone.
    pub(super) async fn stop(
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

/// What `initdb` makes depends on, but for its version.
pub(super) fn options(role: &str, purpose: Purpose) -> Vec<String> {
    let mut options = vec!["--encoding=UTF8".to_owned()];
    options.push(format!("--locale={LOCALE}"));
    options.push(format!("--username={role}"));
    options.extend(match purpose {
        Purpose::Lasting { .. } => vec!["--auth=scram-sha-256".to_owned()],
        Purpose::Model => vec!["--auth=reject".to_owned(), "--no-sync".to_owned()],
    });
    options
}

/// A program that was started. Dropped while it is being waited for, it is what `given_up` says.
struct Program {
    handle: duct::Handle,
    given_up: GivenUp,
}

impl Drop for Program {
    fn drop(&mut self) {
        let began = Instant::now();
        // Without effect where it has ended.
        let ends = match self.given_up {
            GivenUp::Leave => false,
            GivenUp::Stop => self.handle.kill().is_ok(),
            GivenUp::Finish => true,
        };
        if ends {
            // Until what it had started has let go of its output too.
            while matches!(self.handle.try_wait(), Ok(None)) && began.elapsed() < TO_END {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// Runs a program to its end without blocking the thread; the error is what it printed.
async fn run_to_end(command: duct::Expression, given_up: GivenUp) -> anyhow::Result<()> {
    let handle = command.stderr_to_stdout().stdout_capture().unchecked().start().context("start it")?;
    let program = Program { handle, given_up };
    let output = loop {
        if let Some(output) = program.handle.try_wait().context("wait for it")? {
            break output;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    // A single-user session ends well even if its statements failed.
    let failed =
        said.lines().any(|line| ["ERROR:", "FATAL:", "PANIC:"].iter().any(|word| line.contains(word)));
    if !output.status.success() || failed {
        bail!("{}", last_lines(&said, 12));
    }
    Ok(())
}

pub(super) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  │ {line}")).collect::<Vec<_>>().join("\n")
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(path);
    option
}
