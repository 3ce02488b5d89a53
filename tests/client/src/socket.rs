//! Where the service of a checkout listens.

use std::{
    env, fs, io,
    os::{
        fd::OwnedFd,
        unix::fs::{MetadataExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use crate::Error;

/// The socket at which the service of the checkout with this root listens.
///
/// # Errors
/// If the folder of sockets can't be made, or belongs to another user.
pub fn shared_socket(root: &Path) -> Result<PathBuf, Error> {
    let root = root
        .canonicalize()
        .map_err(|error| Error::because(format!("find the checkout {}", root.display()), error))?;
    let user = user_id().map_err(|error| Error::because("find the current user's id", error))?;
    let folder = env::temp_dir().join(format!("xtask-sockets-{user}"));
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
    // A short name, because a socket's path has room for about a hundred bytes.
    Ok(folder.join(format!("{:016x}.socket", hash(root.as_os_str().as_encoded_bytes()))))
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
