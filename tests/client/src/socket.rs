//! Where the services of a checkout listen: one for each server that a command may mean.

use std::{
    env,
    ffi::OsString,
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{
            ffi::{OsStrExt as _, OsStringExt as _},
            fs::{MetadataExt as _, PermissionsExt as _},
        },
    },
    path::{Path, PathBuf},
};

use crate::Error;
use crate::checkout::manifest;

/// What says which kind of server is meant, and how it is made.
const KIND: &[&str] = &["XTASK_SERVER", "XTASK_PG_BIN", "XTASK_POSTGRES_IMAGE", "DOCKER_HOST"];
/// Names a server of the user's own.
const URL: &str = "DATABASE_URL";
/// What completes a connection string.
const COMPLETING: &[&str] = &[
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGOPTIONS",
];
/// The choices that ignore a connection string.
const OURS: &[&str] = &["docker", "native", "download"];

/// The bytes of a socket's path on every system, and of the name in it, with the slash.
const LONGEST_PATH: usize = 103;
const LONGEST_NAME: usize = 33;

/// The sockets of the services of one checkout.
#[derive(Debug)]
pub struct Sockets {
    root: PathBuf,
    folder: PathBuf,
    /// What all their names begin with.
    checkout: String,
}

impl Sockets {
    /// Of the checkout with this root.
    ///
    /// # Errors
    /// If the folder of sockets can't be made, or belongs to another user.
    pub fn in_checkout(root: &Path) -> Result<Sockets, Error> {
        let root = root
            .canonicalize()
            .map_err(|error| Error::because(format!("find the checkout {}", root.display()), error))?;
        let checkout = format!("{:016x}", hash(root.as_os_str().as_bytes()));
        Ok(Sockets { folder: private_folder()?, checkout, root })
    }

    /// Where the service listens that lends databases of the server that is meant. `variable` looks up the environment; the
    /// checkout's `.env` and manifest say the rest.
    pub fn shared(&self, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
        let meant = hash(&meant(&self.root, variable));
        // A short name, because a socket's path has room for about a hundred bytes.
        self.folder.join(format!("{}-{:08x}.socket", self.checkout, meant >> 32))
    }

    /// Where the service of one process listens.
    pub fn of_process(&self, id: u32) -> PathBuf {
        self.folder.join(format!("{}.{id}.socket", self.checkout))
    }

    /// What a process locks while it starts a service that is shared.
    pub fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.checkout))
    }

    /// Where the password for the server at a port is kept for people who look at databases of failed tests.
    pub fn passwords_of(&self, port: &str) -> PathBuf {
        self.folder.join(format!("{}-{port}.pgpass", self.checkout))
    }

    /// Removes these passwords, once no server needs them.
    pub fn remove_passwords(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(&self.checkout) && name.contains(".pgpass") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// All sockets of the checkout; nothing may listen at some of them.
    ///
    /// # Errors
    /// If their folder can't be read.
    pub fn existing(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(&self.checkout) && name.ends_with(".socket") {
                found.push(self.folder.join(name));
            }
        }
        Ok(found)
    }
}

/// Everything that decides which server is meant, as bytes to compare.
fn meant(root: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Vec<u8> {
    let value = |name: &str| variable(name).filter(|value| !value.is_empty());
    let mut bytes = Vec::new();
    let mut add = |name: &str, value: &[u8]| bytes.extend([name.as_bytes(), b"=", value, b"\n"].concat());
    let names = |names: &[&'static str]| {
        names.iter().filter_map(|name| Some((*name, value(name)?))).collect::<Vec<_>>()
    };
    for (name, value) in names(KIND) {
        add(name, value.as_bytes());
    }
    if value(KIND[0]).is_none_or(|choice| !OURS.iter().any(|ours| choice == *ours)) {
        let url = match value(URL) {
            Some(url) => url.into_vec(),
            None => lines(&root.join(".env"), |line| line.contains(URL)),
        };
        let completing = if url.is_empty() { Vec::new() } else { names(COMPLETING) };
        add(URL, &url);
        for (name, value) in completing {
            add(name, value.as_bytes());
        }
    }
    let mut section = String::new();
    let of_server = |line: &str| {
        if line.starts_with('[') {
            line.clone_into(&mut section);
        }
        line.starts_with("postgres.") || section.starts_with("[postgres]")
    };
    let manifest = manifest(root).map(|manifest| lines(&root.join(manifest), of_server));
    add("apps.toml", &manifest.unwrap_or_default());
    bytes
}

/// Some lines of a file. One that can't be read has none here: the command that needs it reports that.
fn lines(file: &Path, mut wanted: impl FnMut(&str) -> bool) -> Vec<u8> {
    // Only a regular file: a read of a pipe may wait for ever.
    let bytes = if file.is_file() { fs::read(file).unwrap_or_default() } else { Vec::new() };
    let text = String::from_utf8_lossy(&bytes);
    text.lines().map(str::trim).filter(|line| wanted(line)).collect::<Vec<_>>().join("\n").into_bytes()
}

/// The folder of all sockets of this user.
fn private_folder() -> Result<PathBuf, Error> {
    let user = user_id().map_err(|error| Error::because("find the current user's id", error))?;
    let name = format!("xtask-sockets-{user}");
    let folder = env::temp_dir().join(&name);
    let fits = folder.as_os_str().len() + LONGEST_NAME < LONGEST_PATH;
    let folder = if fits { folder } else { Path::new("/tmp").join(&name) };
    let failed = |verb: &str, error| Error::because(format!("{verb} {}", folder.display()), error);
    if let Err(error) = fs::create_dir(&folder)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(failed("make", error));
    }
    let about = folder.symlink_metadata().map_err(|error| failed("look at", error))?;
    // Another user could have made it first.
    if !about.is_dir() || about.uid() != user {
        return Err(Error::new(format!(
            "{} is not a folder that you own\n  remove it, or set TMPDIR to a folder of yours",
            folder.display()
        )));
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
        .map_err(|error| failed("close", error))?;
    Ok(folder)
}

/// The effective user: a new pipe belongs to it, and the standard library has no other way to ask.
fn user_id() -> io::Result<u32> {
    let (reader, _writer) = io::pipe()?;
    Ok(fs::File::from(OwnedFd::from(reader)).metadata()?.uid())
}

/// FNV-1a. The standard library's hashes differ from one compiler to the next, and both ends must agree.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The socket for a server, as these variables and files mean it.
    fn socket(variables: &[(&str, &str)], env: &str, manifest: &str) -> PathBuf {
        // Tests run in threads of one process, or each in a process of its own.
        let (process, thread) = (std::process::id(), std::thread::current().id());
        let root = env::temp_dir().join(format!("tests-client-sockets-{process}-{thread:?}"));
        fs::create_dir_all(root.join("migrations")).unwrap();
        fs::write(root.join(".env"), env).unwrap();
        fs::write(root.join("migrations/apps.toml"), manifest).unwrap();
        let value = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| OsString::from(it.1));
        let socket = Sockets::in_checkout(&root).unwrap().shared(value);
        fs::remove_dir_all(root).unwrap();
        socket
    }

    const MANIFEST: &str = "[postgres]\nversion = 15\n\n[[app]]\nname = \"app\"\n";

    #[test]
    fn whatever_changes_the_server_changes_the_socket() {
        let url = ("DATABASE_URL", "postgres://localhost/app");
        let mut all = vec![
            socket(&[], "", MANIFEST),
            socket(&[url], "", MANIFEST),
            socket(&[("DATABASE_URL", "postgres://localhost:5433/app")], "", MANIFEST),
            socket(&[url, ("PGPORT", "5433")], "", MANIFEST),
            socket(&[("XTASK_SERVER", "native")], "", MANIFEST),
            socket(&[("XTASK_SERVER", "docker")], "", MANIFEST),
            socket(&[("XTASK_PG_BIN", "/usr/lib/postgresql/18/bin")], "", MANIFEST),
            socket(&[], "DATABASE_URL=postgres://a/app", MANIFEST),
            socket(&[], "export DATABASE_URL='postgres://b/app'", MANIFEST),
            socket(&[], "", &MANIFEST.replace("15", "16")),
            socket(&[], "", &MANIFEST.replace("15", "15\nserver = \"native\"")),
            socket(&[], "", "postgres.version = 15\n"),
        ];
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "{all:#?}");
    }

    #[test]
    fn whatever_does_not_change_the_server_finds_the_same_socket() {
        let usual = socket(&[], "", MANIFEST);
        for same in [
            socket(&[("DATABASE_URL", ""), ("XTASK_SERVER", "")], "", MANIFEST),
            socket(&[], "SMTP_HOST=mail.example.org", MANIFEST),
            socket(&[("PGHOST", "db.example.org")], "", MANIFEST),
            socket(&[], "", &format!("{MANIFEST}tables = [\"more\"]\n")),
        ] {
            assert_eq!(same, usual);
        }
        let native = ("XTASK_SERVER", "native");
        let url = ("DATABASE_URL", "postgres://localhost/app");
        assert_eq!(socket(&[native, url], "", MANIFEST), socket(&[native], "", MANIFEST));
        assert_eq!(socket(&[url], "DATABASE_URL=postgres://a/app", MANIFEST), socket(&[url], "", MANIFEST));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_user_is_the_one_who_owns_a_new_file() {
        let file = env::temp_dir().join(format!("tests-client-{}", std::process::id()));
        fs::write(&file, "").unwrap();
        let owner = file.metadata().unwrap().uid();
        fs::remove_file(&file).unwrap();
        assert_eq!(user_id().unwrap(), owner);
    }
}
