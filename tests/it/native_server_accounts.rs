//! Postgres refuses to run as root, yet every user, root included, can run the development server.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
};

use duct::cmd;

use crate::{
    checkout::{outcome, xtask},
    native_server::NativeServer,
};

/// The id of the account `nobody` on every Linux system.
const UNPRIVILEGED: u32 = 65534;
/// The id of no account.
const NAMELESS: u32 = 54321;

fn hand_over(path: &Path, uid: u32, gid: u32) {
    chown(path, Some(uid), Some(gid)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            hand_over(&entry.unwrap().path(), uid, gid);
        }
    }
}

#[test]
fn an_ordinary_user_needs_no_privilege() {
    check_user(UNPRIVILEGED);
}

#[test]
fn a_user_without_a_name_needs_none() {
    check_user(NAMELESS);
}

/// Sets up a database as this user, or as the one that runs the tests, if that is not root.
#[track_caller]
fn check_user(uid: u32) {
    let it = NativeServer::new();
    let id = uid.to_string();
    let root = it.checkout.root();
    // Other users may not have access to the folder where cargo built it.
    let program = root.join("xtask");
    fs::copy(xtask(), &program).unwrap();
    let mut line: Vec<&OsStr> = Vec::new();
    if rustix::process::geteuid().is_root() {
        hand_over(root, uid, uid);
        line.extend(["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--"].map(OsStr::new));
    }
    line.push(program.as_os_str());
    for (args, said) in [
        (&["db-setup"] as &[&str], "9 tables, 19 seeded rows, exactly as the files say"),
        (&["db-check"], "exactly as the files say"),
        (&["server", "stop"], "stopped"),
        (&["db-check"], "exactly as the files say"),
        (&["server", "stop"], "stopped"),
    ] {
        let words = line[1..].iter().copied().chain(args.iter().map(OsStr::new));
        let command = cmd(line[0], words)
            .env("XTASK_ROOT", root)
            .env("XDG_STATE_HOME", root.join("state"))
            .env_remove("DATABASE_URL")
            .env_remove("XTASK_SERVER")
            .stdin_null()
            .unchecked();
        outcome(&command).expect(0, &[said]);
    }
    assert_eq!(fs::metadata(it.data()).unwrap().uid(), fs::metadata(root).unwrap().uid());
    assert_ne!(fs::metadata(it.data()).unwrap().uid(), 0);
}

/// Makes a folder look like another user's, as this user can: root gives it away, and others put a link to root's in its place.
fn give_away(folder: &Path) {
    if rustix::process::geteuid().is_root() {
        return chown(folder, Some(UNPRIVILEGED), None).unwrap();
    }
    fs::rename(folder, folder.with_extension("own")).unwrap();
    symlink("/usr", folder).unwrap();
}

fn take_back(folder: &Path) {
    if rustix::process::geteuid().is_root() {
        return chown(folder, Some(0), None).unwrap();
    }
    fs::remove_file(folder).unwrap();
    fs::rename(folder.with_extension("own"), folder).unwrap();
}

#[test]
fn the_state_folder_of_another_user_is_not_trusted_even_if_a_server_runs_there() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    let (url, folder, postmaster) = (it.url(), it.folder(), it.postmaster());
    give_away(&folder);
    for args in [
        &["db-url"] as &[&str],
        &["db-check"],
        &["db-setup"],
        &["server", "url"],
        &["server", "status"],
        &["server", "stop"],
        &["db-shell", "--command", "select 1"],
    ] {
        it.xtask(args).expect(1, &["belongs to user id", "XDG_STATE_HOME=/a/folder"]);
    }
    assert_eq!(it.postmaster(), postmaster);
    // What it says is no reason to take the server of a URL for the checkout's own.
    outcome(&it.checkout.command(&url, &["server", "status"])).expect(0, &["DATABASE_URL (environment)"]);
    take_back(&folder);
    assert_eq!(it.url(), url);
}

/// The folders of root's servers on systems that refuse user namespaces.
struct SharedHomes<'a>(&'a NativeServer);

impl SharedHomes<'_> {
    fn all(&self) -> [std::path::PathBuf; 2] {
        let name = self.0.found_folder().and_then(|it| Some(it.file_name()?.to_owned())).unwrap_or_default();
        ["/var/lib/xtask", "/var/tmp/xtask-0"].map(|home| Path::new(home).join(&name))
    }
}

impl Drop for SharedHomes<'_> {
    fn drop(&mut self) {
        let _ = self.0.checkout.bare_command(&["server", "stop"]).stdout_null().stderr_null().run();
        if self.0.found_folder().is_some() {
            for home in self.all() {
                let _ = fs::remove_dir_all(home);
            }
        }
    }
}

#[test]
fn without_unshare_the_server_runs_as_an_unprivileged_account_for_root_and_as_the_user_otherwise() {
    let it = NativeServer::new();
    let homes = SharedHomes(&it);
    // A PATH with every program that a command may need, except `unshare`.
    let bin = it.checkout.root().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::set_permissions(it.checkout.root(), fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["id", "pg_config", "postgres", "initdb"] {
        let mut places =
            env::split_paths(&env::var_os("PATH").unwrap()).map(|it| it.join(name)).collect::<Vec<_>>();
        places.retain(|it| it.is_file());
        if let Some(found) = places.first() {
            symlink(found.canonicalize().unwrap(), bin.join(name)).unwrap();
        }
    }
    let path = [("PATH", bin.as_os_str())];
    it.xtask_in(&["db-setup"], &path)
        .expect(0, &["created", "9 tables, 19 seeded rows, exactly as the files say"]);
    let own = rustix::process::geteuid();
    let (data, owner) = match own.is_root() {
        true => {
            (homes.all().map(|it| it.join("data")).into_iter().find(|it| it.exists()).unwrap(), UNPRIVILEGED)
        }
        false => (it.data(), own.as_raw()),
    };
    assert_eq!(fs::metadata(&data).unwrap().uid(), owner);
    let process = fs::metadata(format!("/proc/{}", it.postmaster().as_raw_nonzero())).unwrap();
    assert_eq!(process.uid(), owner);
    it.xtask_in(&["server", "stop"], &path).expect(0, &["stopped"]);
    // With or without `unshare`, the server runs as the owner of the data.
    it.xtask(&["db-check"]).expect(0, &["server started: native"]);
    it.xtask_in(&["server", "stop"], &path).expect(0, &["stopped"]);
}
