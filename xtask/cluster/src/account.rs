//! As whom the server's programs run.
//!
//! Postgres refuses to run as root, and containers mostly are root. An ordinary user's server is that user's;
//! root's runs in a user namespace, where root's own files belong to somebody who is not root; where the
//! kernel or the container refuses that, it runs as `nobody`.

use std::{
    collections::HashMap,
    ffi::OsString,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// The locale of a new data directory: the same order of text on every machine of one system, and UTF-8.
pub(crate) const LOCALE: &str = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };

/// As whom a server runs, which is also who owns its data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The user who called.
    Own,
    /// Root, who to the server looks like `nobody`: a namespace made by this `unshare`.
    Namespace(PathBuf),
    /// Another user. Its data directory must be in a folder that others can pass through.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// For a new data directory.
    pub(crate) fn choose() -> anyhow::Result<Account> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Account::Own);
        }
        if let Ok(namespace) = Account::namespace() {
            // Docker's usual profile and some kernels refuse, and an old `unshare` lacks the options.
            let trial = namespace.command(Path::new("true"), vec![]).stdin_null().stdout_null().stderr_null();
            if trial.run().is_ok() {
                return Ok(namespace);
            }
        }
        match (id_of_nobody("-u"), id_of_nobody("-g")) {
            (Ok(uid), Ok(gid)) => Ok(Account::Other { uid, gid }),
            (Err(error), _) | (_, Err(error)) => bail!(
                "PostgreSQL refuses to run as root, user namespaces are refused here, and there is no user \
                 `nobody` ({error:#})\n  \
                 run the command as an ordinary user, or use another server: export \
                 DATABASE_URL=postgres://user@host/database"
            ),
        }
    }

    /// For a data directory that exists: its owner, for Postgres opens it as nobody else.
    pub(crate) fn owner_of(data: &Path) -> anyhow::Result<Account> {
        let owner = data.metadata().with_context(|| format!("read the owner of {}", data.display()))?;
        let caller = rustix::process::geteuid();
        match (caller.is_root(), owner.uid()) {
            (true, 0) => Account::namespace(),
            (true, uid) => Ok(Account::Other { uid, gid: owner.gid() }),
            (false, uid) if uid == caller.as_raw() => Ok(Account::Own),
            (false, uid) => bail!(
                "the data directory {} belongs to user id {uid}, and this is user id {}\n  \
                 run the command as its owner",
                data.display(),
                caller.as_raw()
            ),
        }
    }

    fn namespace() -> anyhow::Result<Account> {
        let unshare = which::which("unshare").ok();
        unshare.map(Account::Namespace).context(
            "PostgreSQL refuses to run as root, and `unshare`, which would hide that, is not in PATH\n  \
             install it: apt install util-linux",
        )
    }

    /// Hands a file or folder that this process made to the account.
    pub(crate) fn own(&self, path: &Path) -> anyhow::Result<()> {
        if let Account::Other { uid, gid } = self {
            chown(path, Some(*uid), Some(*gid))
                .with_context(|| format!("hand {} to user id {uid}", path.display()))?;
        }
        Ok(())
    }

    /// `program` as this account. The process that starts is the program itself: `unshare` execs, so the pid
    /// is its pid. Its input and output are for the caller to say.
    pub(crate) fn command(&self, program: &Path, args: Vec<OsString>) -> duct::Expression {
        let expression = match self {
            Account::Own | Account::Other { .. } => duct::cmd(program, args),
            Account::Namespace(unshare) => {
                let options = ["--user", "--map-user=65534", "--map-group=65534", "--"];
                let mut line: Vec<OsString> = options.iter().map(OsString::from).collect();
                line.push(program.into());
                line.extend(args);
                duct::cmd(unshare, line)
            }
        };
        let expression = match *self {
            Account::Other { uid, gid } => expression.before_spawn(move |command| {
                command.uid(uid).gid(gid);
                Ok(())
            }),
            Account::Own | Account::Namespace(_) => expression,
        };
        // The folder of the caller may be closed to the account, and must not be kept busy by a server. On
        // macOS Postgres does not start without a locale in the environment: looking it up would start a
        // thread.
        //
        // Nothing else of the caller's environment: the server lives for days, and as `nobody` it would show everything
        // to everybody who is `nobody`.
        let kept = ["PATH", "TZ", "LD_LIBRARY_PATH"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
        let environment: HashMap<String, String> =
            kept.chain([("LC_ALL".to_owned(), LOCALE.to_owned())]).collect();
        expression.dir("/").full_env(environment)
    }
}

/// `which` is `-u` or `-g`: macOS knows no long options.
fn id_of_nobody(which: &str) -> anyhow::Result<u32> {
    let said = duct::cmd!("id", which, "nobody")
        .stdin_null()
        .stderr_null()
        .read()
        .context("ask `id` for `nobody`")?;
    parse_id(&said).with_context(|| format!("`id {which} nobody` said {said:?}"))
}

/// Some systems print `nobody`'s id as a negative number.
fn parse_id(said: &str) -> Option<u32> {
    let number: i64 = said.trim().parse().ok()?;
    u32::try_from(number).ok().or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_nobody_are_read_on_every_system() {
        assert_eq!(parse_id("65534\n"), Some(65534));
        assert_eq!(parse_id("4294967294"), Some(4_294_967_294));
        assert_eq!(parse_id("-2"), Some(4_294_967_294));
        assert_eq!(parse_id("nobody"), None);
    }
}
