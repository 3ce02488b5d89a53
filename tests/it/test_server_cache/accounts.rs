//! A copy of the cached data belongs to the account that the server runs as.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::Path,
};

use duct::cmd;

use super::{Cached, query};

/// Expects that every file of a copy belongs to the server's account and is closed to others.
#[track_caller]
fn expect_owned(path: &Path, uid: u32) {
    let found = fs::symlink_metadata(path).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o077), (uid, 0), "{}", path.display());
    for entry in fs::read_dir(path).into_iter().flatten().filter(|_| found.is_dir()) {
        let path = entry.unwrap().path();
        // A running server may remove a temporary file meanwhile.
        if fs::symlink_metadata(&path).is_ok() {
            expect_owned(&path, uid);
        }
    }
}

#[test]
fn a_copy_belongs_to_the_account_that_the_server_runs_as() {
    let it = Cached::new();
    let own = rustix::process::geteuid();
    // A PATH without `unshare`, where root's server runs as `nobody`.
    let path = it.path("path");
    fs::create_dir(&path).unwrap();
    for name in ["id", "sh", "mv", "sleep"] {
        symlink(cmd!("which", name).read().unwrap(), path.join(name)).unwrap();
    }
    let other_uid = if own.is_root() { 65534 } else { own.as_raw() };
    let without = [("PATH", path.as_os_str())];
    for (more, uid) in [(&[] as &[_], own.as_raw()), (&without, other_uid), (&[], own.as_raw())] {
        let server = it.start_in(more);
        expect_owned(server.process().data().unwrap(), uid);
        assert_eq!(query(&server.url, "select 'well'").unwrap(), "well");
        server.end();
    }
    assert_eq!(it.initdb_runs(), 1);
}
