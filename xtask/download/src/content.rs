//! What the builds hold. It is written down here, because the digest of an archive comes from where the archive comes from.

use std::{
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// The version, the platform by Zonky's names, and the digest of the content; `tests/download-content` writes it.
const KNOWN: &str = include_str!("content.txt");

/// The digest of the build of a version for a platform, if it is known.
pub(crate) fn find_digest(version: &str, platform: &str) -> Option<&'static str> {
    KNOWN.lines().find_map(|line| {
        let mut words = line.split(' ');
        (words.next() == Some(version) && words.next() == Some(platform)).then(|| words.next())?
    })
}

/// The digest of a folder: the SHA-256 of what `sha256sum` prints for its files, sorted by their paths.
///
/// # Errors
/// If something in it can't be read, or is neither a file nor a link to one of its own files.
pub(crate) fn digest(folder: &Path) -> io::Result<String> {
    let top = folder.canonicalize()?;
    let mut files = Vec::new();
    collect(&top, &top, &mut files)?;
    files.sort_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
    let mut all = Sha256::new();
    for path in files {
        all.update(hex::encode(Sha256::digest(fs::read(top.join(&path))?)));
        all.update(b"  ./");
        all.update(path.as_os_str().as_bytes());
        all.update(b"\n");
    }
    Ok(hex::encode(all.finalize()))
}

/// Adds the files below a folder, by their paths from the top.
fn collect(top: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        let shown = path.strip_prefix(top).unwrap_or(&path);
        if kind.is_dir() {
            collect(top, &path, files)?;
        } else if kind.is_file() {
            files.push(shown.to_owned());
        } else if !(kind.is_symlink()
            && path.canonicalize().is_ok_and(|real| real.starts_with(top) && real.is_file()))
        {
            return Err(io::Error::other(format!("{} leads out of it", shown.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_line_is_a_build_and_its_digest() {
        for line in KNOWN.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [version, platform, digest] = words[..] else { panic!("{line}") };
            assert_eq!(find_digest(version, platform), Some(digest));
            assert_eq!(hex::decode(digest).unwrap().len(), 32);
        }
        assert_eq!(find_digest("15.18.0", "linux-ppc64le"), None);
    }

    #[test]
    fn the_digest_is_what_sha256sum_says_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("lib/sub")).unwrap();
        for name in ["b", "lib/sub/a.so", "lib/B", "lib.txt"] {
            fs::write(path(name), name).unwrap();
        }
        let sums = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum";
        let said = duct::cmd!("sh", "-c", sums).dir(folder.path()).read().unwrap();
        symlink("sub/a.so", path("lib/a.so")).unwrap();
        assert_eq!(said.split(' ').next().unwrap(), digest(folder.path()).unwrap());
        for target in ["/bin/sh", "../../x", "sub", "missing"] {
            symlink(target, path("lib/out")).unwrap();
            let refused = digest(folder.path()).unwrap_err().to_string();
            assert!(refused.contains("lib/out leads out of it"), "{refused}");
            fs::remove_file(path("lib/out")).unwrap();
        }
    }
}
