//! The places of one checkout's development server: its state file, log, lock and data.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use etcetera::BaseStrategy as _;
use sha2::{Digest as _, Sha256};

use crate::{
    account::Account,
    cluster::Cluster,
    folder::{self, Access, folders_of_user},
    state::{self, State},
};

/// The folders for root's data if user namespaces are not allowed: `nobody` can't enter root's home.
const SHARED_HOMES: [&str; 2] = ["/var/lib/xtask", "/var/tmp/xtask-0"];

/// The places of one server, which need not exist.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    /// The state folder. If it exists, this is its real path, because processes are recognised by the real path of their
    /// data directory.
    pub(crate) folder: PathBuf,
    /// The oldest major version of Postgres to use.
    pub(crate) minimum_major: u32,
    /// The server's superuser.
    pub(crate) role: String,
    /// The top folder of the checkout, if it is known and UTF-8.
    pub(crate) checkout: Option<PathBuf>,
    /// The name of its folder in [`SHARED_HOMES`].
    name: String,
}

impl Home {
    /// The home of the server that belongs to the checkout at `root`. Touches nothing.
    pub(crate) fn of_checkout(root: &Path, minimum_major: u32, role: &str) -> anyhow::Result<Home> {
        let root = root.canonicalize().with_context(|| format!("find the checkout {}", root.display()))?;
        let name = folder_name(&root);
        let folder = base()?.join(&name);
        let folder = folder.canonicalize().unwrap_or(folder);
        // JSON can't hold another path.
        let checkout = root.to_str().map(PathBuf::from);
        Ok(Home { folder, minimum_major, role: role.to_owned(), checkout, name })
    }

    /// The homes of this user's servers whose checkouts were moved or deleted. Touches nothing.
    pub(crate) fn without_checkout() -> anyhow::Result<Vec<Home>> {
        let base = base()?;
        folder::require_own(&base)?;
        let folders = fs::read_dir(&base).into_iter().flatten().flatten().map(|it| it.path());
        let mut homes: Vec<Home> =
            folders.filter_map(Home::in_folder).filter(Home::lost_its_checkout).collect();
        homes.sort_by(|one, other| one.folder.cmp(&other.folder));
        Ok(homes)
    }

    /// The home with that state folder, if there is a readable state file in it.
    fn in_folder(folder: PathBuf) -> Option<Home> {
        let folder = folder.canonicalize().ok()?;
        let State { role, checkout, .. } = state::peek(&folder)?;
        let name = folder.file_name()?.to_str()?.to_owned();
        Some(Home { folder, minimum_major: 0, role, checkout, name })
    }

    /// Whether the checkout is no longer where it was.
    fn lost_its_checkout(&self) -> bool {
        self.checkout.as_ref().is_some_and(|checkout| matches!(checkout.try_exists(), Ok(false)))
    }

    /// The home of another server of the same checkout, inside this one.
    pub(crate) fn apart(&self, name: &str) -> Home {
        Home { folder: self.folder.join(name), name: format!("{}-{name}", self.name), ..self.clone() }
    }

    /// The same home by its real path. The folder must exist.
    pub(crate) fn resolved(&self) -> anyhow::Result<Home> {
        let folder = self.folder.canonicalize();
        let folder = folder.with_context(|| format!("find {}", self.folder.display()))?;
        Ok(Home { folder, ..self.clone() })
    }

    /// The lock under which commands create, start and stop the server.
    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// The existing data directory, wherever it is; if there is none, its place for an ordinary user.
    pub(crate) fn cluster(&self) -> Cluster {
        let own = self.cluster_in(&self.folder);
        if own.data.exists() || !rustix::process::geteuid().is_root() {
            return own;
        }
        let shared = self.shared_homes().map(|home| self.cluster_in(&home));
        // Another user could have created a folder of that name first.
        let is_roots = |path: Option<&Path>| {
            path.and_then(|path| path.symlink_metadata().ok()).is_some_and(|it| it.is_dir() && it.uid() == 0)
        };
        let trusted = |it: &Cluster| {
            it.data.exists()
                && is_roots(it.data.parent())
                && is_roots(it.data.parent().and_then(Path::parent))
        };
        shared.into_iter().find(trusted).unwrap_or(own)
    }

    /// The place for a new data directory of a server that runs as `account`.
    pub(crate) fn new_cluster(&self, account: &Account) -> anyhow::Result<Cluster> {
        let Account::Other { .. } = account else { return Ok(self.cluster_in(&self.folder)) };
        let mut refused = None;
        for home in self.shared_homes() {
            let parent_ready =
                home.parent().map_or(Ok(()), |parent| folder::ensure(parent, Access::PassThrough));
            match parent_ready.and_then(|()| folder::ensure(&home, Access::PassThrough)) {
                Ok(()) => return Ok(self.cluster_in(&home)),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| anyhow!("there is no folder for the data of `nobody`")))
    }

    fn cluster_in(&self, home: &Path) -> Cluster {
        Cluster::new(home, self.folder.join("server.log"))
    }

    fn shared_homes(&self) -> [PathBuf; 2] {
        SHARED_HOMES.map(|home| Path::new(home).join(&self.name))
    }
}

/// The folder of the state folders of this user's servers.
fn base() -> anyhow::Result<PathBuf> {
    let folders = folders_of_user()?;
    Ok(folders.state_dir().unwrap_or_else(|| folders.data_dir()).join("xtask"))
}

/// The name of the checkout's folder with eight digits of a hash of its path: readable, and unique per checkout.
fn folder_name(root: &Path) -> String {
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut folder: String = name.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    folder.push('-');
    folder + &hex::encode(&Sha256::digest(root.as_os_str().as_encoded_bytes())[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_checkout_has_its_own_folder() {
        assert_eq!(folder_name(Path::new("/home/me/shop")), "shop-4a68c726");
        assert_eq!(folder_name(Path::new("/home/me/my shop")).split_once('-').unwrap().0, "my");
        assert_ne!(folder_name(Path::new("/home/me/shop")), folder_name(Path::new("/home/you/shop")));
    }
}
