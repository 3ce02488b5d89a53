//! The account that a server's programs run as.
//!
//! Postgres refuses to run as root, and most containers run as root. An ordinary user's server runs as that user. Root's
//! server runs in a user namespace, in which root's files belong to an ordinary account; if the kernel or the container
//! forbids that, it runs as `nobody`.

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

/// The locale of a new data directory: UTF-8, with the same sort order on every machine of one system.
pub(crate) const LOCALE: &str = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };

/// The account that a server runs as, which also owns its data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The user of this process.
    Own,
    /// Root, in a namespace that this `unshare` creates, where the server seems to run as `nobody`.
    Namespace(PathBuf),
    /// Another user, whose data directory must be in a folder that others can pass through.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// The account for a new data directory.
    pub(crate) fn choose() -> anyhow::Result<Account> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Account::of_caller());
        }
        if let Ok(namespace) = Account::namespace() {
            // Docker's default profile and some kernels forbid it, and an old `unshare` lacks the options.
            let trial = namespace.command(Path::new("true"), vec![]).stdin_null().stdout_null().stderr_null();
            if trial.run().is_ok() {
                return Ok(namespace);
            }
        }
        match (id_of_nobody("-u"), id_of_nobody("-g")) {
            (Ok(uid), Ok(gid)) => Ok(Account::Other { uid, gid }),
            (Err(error), _) | (_, Err(error)) => bail!(
                "PostgreSQL refuses to run as root, user namespaces are not allowed here, and there is no user \
                 `nobody` ({error:#})\n  \
                 run the command as an ordinary user, or use another server: export \
                 DATABASE_URL=postgres://user@host/database"
            ),
        }
    }

    /// The account for an existing data directory: its owner, because Postgres refuses to open another user's.
    pub(crate) fn owner_of(data: &Path) -> anyhow::Result<Account> {
        let owner = data.metadata().with_context(|| format!("read the owner of {}", data.display()))?;
        let caller = rustix::process::geteuid();
        match (caller.is_root(), owner.uid()) {
            (true, 0) => Account::namespace(),
            (true, uid) => Ok(Account::Other { uid, gid: owner.gid() }),
            (false, uid) if uid == caller.as_raw() => Ok(Account::of_caller()),
            (false, uid) => bail!(
                "the data directory {} belongs to user id {uid}, and this is user id {}\n  \
                 run the command as its owner",
                data.display(),
                caller.as_raw()
            ),
        }
    }

    /// The account of an ordinary user. `initdb` refuses one without a name, as containers often have, so that one gets the
    /// name `nobody` in a namespace, if that is allowed.
    fn of_caller() -> Account {
        let named = duct::cmd!("id", "-un").stdin_null().stdout_null().stderr_null().run().is_ok();
        if named { Account::Own } else { Account::namespace().unwrap_or(Account::Own) }
    }

    fn namespace() -> anyhow::Result<Account> {
        let unshare = which::which("unshare").ok();
        unshare.map(Account::Namespace).context(
            "PostgreSQL refuses to run as root, and `unshare`, which would hide that, is not in PATH\n  \
             install it: apt install util-linux",
        )
    }

    /// Makes the account the owner of a file or folder that this process created.
    pub(crate) fn hand_over(&self, path: &Path) -> anyhow::Result<()> {
        if let Account::Other { uid, gid } = self {
            chown(path, Some(*uid), Some(*gid))
                .with_context(|| format!("give {} to user id {uid}", path.display()))?;
        }
        Ok(())
    }

    /// The command that runs `program` as this account. The process is the program itself, because `unshare` execs it, so
    /// its pid is the program's. The caller sets its input and output.
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
        // The account may have no access to the caller's folder, and a server must not keep that busy. On macOS Postgres
        // does not start without a locale in the environment, because looking it up would start a thread.
        //
        // The rest of the caller's environment is left out: the server runs for days, and as `nobody` it would show the
        // environment to every other program that runs as `nobody`.
        let passed_on = ["PATH", "TZ", "LD_LIBRARY_PATH"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
        let environment: HashMap<String, String> =
            passed_on.chain([("LC_ALL".to_owned(), LOCALE.to_owned())]).collect();
        expression.dir("/").full_env(environment)
    }
}

/// `which` is `-u` or `-g`: macOS has no long options.
fn id_of_nobody(which: &str) -> anyhow::Result<u32> {
    let said = duct::cmd!("id", which, "nobody")
        .stdin_null()
        .stderr_null()
        .read()
        .context("run `id` for `nobody`")?;
    parse_id(&said).with_context(|| format!("`id {which}` for `nobody` printed {said:?}"))
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
    fn the_id_of_nobody_is_read_on_every_system() {
        assert_eq!(parse_id("65534\n"), Some(65534));
        assert_eq!(parse_id("4294967294"), Some(4_294_967_294));
        assert_eq!(parse_id("-2"), Some(4_294_967_294));
        assert_eq!(parse_id("nobody"), None);
    }
}
