//! A checkout whose server runs on programs from a stand-in, in a cache folder of its own.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use duct::{Expression, cmd};
use tempfile::TempDir;

use crate::{
    archive,
    checkout::{Checkout, Outcome, outcome, xtask},
    maven::Maven,
};

pub(crate) struct Downloaded {
    pub(crate) checkout: Checkout,
    pub(crate) maven: Arc<Maven>,
    /// The major version of the archive.
    pub(crate) major: u32,
    cache: Arc<TempDir>,
}

impl Downloaded {
    pub(crate) fn new() -> Downloaded {
        Downloaded::from_archive(archive::real())
    }

    pub(crate) fn from_archive(archive: Vec<u8>) -> Downloaded {
        let cache = tempfile::Builder::new().prefix("xtask-cache-").tempdir().unwrap();
        // Root's server may run as the account `nobody`, which must be able to reach its programs.
        fs::set_permissions(cache.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Downloaded::in_cache(Arc::new(Maven::with(archive)), Arc::new(cache))
    }

    /// Another checkout of the same user.
    pub(crate) fn beside(other: &Downloaded) -> Downloaded {
        Downloaded::in_cache(other.maven.clone(), other.cache.clone())
    }

    fn in_cache(maven: Arc<Maven>, cache: Arc<TempDir>) -> Downloaded {
        let (checkout, (major, _)) = (Checkout::new(), archive::installed());
        checkout.replace("apps.toml", "version = 15", &format!("version = {major}"));
        Downloaded { checkout, maven, major, cache }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Expression {
        self.command_in(args, &[])
    }

    pub(crate) fn command_in(&self, args: &[&str], more: &[(&str, &OsStr)]) -> Expression {
        let around = self.around();
        let around: Vec<(&str, &OsStr)> =
            around.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
        self.checkout.bare_command_in(args, &[more, &around].concat())
    }

    /// Of two values for one variable, the first counts.
    fn around(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("XTASK_DOWNLOAD_FROM", self.maven.url().into()),
            // It stands in for a build that is known.
            ("XTASK_DOWNLOAD_SHA512", self.maven.sha512().into()),
            ("XDG_CACHE_HOME", self.cache.path().into()),
            ("XTASK_PG_BIN", "".into()),
            // No proxy leads to the stand-in.
            ("NO_PROXY", "127.0.0.1".into()),
            ("HTTP_PROXY", "".into()),
            ("http_proxy", "".into()),
            ("HTTPS_PROXY", "".into()),
            ("https_proxy", "".into()),
            ("ALL_PROXY", "".into()),
            ("all_proxy", "".into()),
        ]
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Outcome {
        outcome(&self.command(args))
    }

    /// A command on a machine without PostgreSQL: it sees an empty folder where PostgreSQL is installed.
    pub(crate) fn without_programs(&self, args: &[&str]) -> Outcome {
        self.mounting(&format!("mount --types tmpfs none {}", archive::INSTALLED), args)
    }

    /// A command with a mount that only it sees, followed by a listing of the cache folder.
    pub(crate) fn mounting(&self, mount: &str, args: &[&str]) -> Outcome {
        let mut words: Vec<OsString> = vec!["--mount".into()];
        if !rustix::process::geteuid().is_root() {
            words.extend(["--user".into(), "--map-root-user".into()]);
        }
        let cache = self.cache();
        let script = format!(
            "{mount} || exit\n\"$0\" \"$@\"\ncode=$?\nls {} 2>/dev/null\nexit $code",
            cache.display()
        );
        words.extend(["sh".into(), "-c".into(), script.into()]);
        words.push(xtask().into());
        words.extend(args.iter().map(OsString::from));
        let mut command = cmd("unshare", words);
        for (name, value) in self.around() {
            command = command.env(name, value);
        }
        command = command
            .env("XTASK_ROOT", self.checkout.root())
            .env("XDG_STATE_HOME", self.checkout.root().join("state"))
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .env_remove("DATABASE_URL")
            .env_remove("XTASK_SERVER");
        outcome(&command.stdin_null().unchecked())
    }

    /// The data of root's server if that runs as the account `nobody`.
    pub(crate) fn homes_of_nobody(&self) -> Vec<PathBuf> {
        let states = fs::read_dir(self.checkout.root().join("state/xtask")).into_iter().flatten().flatten();
        let names = states.map(|it| format!("{}-download", it.file_name().display()));
        let homes = |name| ["/var/lib/xtask", "/var/tmp/xtask-0"].map(|home| Path::new(home).join(&name));
        names.flat_map(homes).collect()
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.cache.path().join("xtask/postgresql")
    }

    /// The contents of the cache folder without its lock.
    pub(crate) fn cache_entries(&self) -> Vec<String> {
        let entries = fs::read_dir(self.cache()).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "lock").collect()
    }
}

impl Drop for Downloaded {
    fn drop(&mut self) {
        for server in ["native", "download"] {
            let _ = self.command(&["--server", server, "server", "stop"]).stdout_null().stderr_null().run();
        }
        for home in self.homes_of_nobody() {
            let _ = fs::remove_dir_all(home);
        }
    }
}

pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
