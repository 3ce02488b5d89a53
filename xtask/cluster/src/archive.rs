//! A data directory as one file: a line per folder and file, a file's content after its line, and a closing line.
//!
//! Postgres keeps all of it private to its account, so the archive records neither modes nor owners.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{BufRead, BufReader, BufWriter, Read as _, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use crate::account::Account;

const END: &str = "end";
/// Trailing pages like this are left out: a new log segment has 16 MB, nearly all empty, and such pages are a third of
/// the data directory.
const EMPTY_PAGE: [u8; 4096] = [0; 4096];

/// Writes the data directory of a stopped server to `file`.
pub(crate) fn pack(data: &Path, file: &File) -> anyhow::Result<()> {
    let mut out = BufWriter::new(file);
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        writeln!(out, "folder {}", text(&folder)?)?;
        for entry in fs::read_dir(data.join(&folder))? {
            let entry = entry?;
            let (kind, path) = (entry.file_type()?, folder.join(entry.file_name()));
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let content = fs::read(entry.path())?;
                let mut written = content.as_slice();
                while let Some(rest) = written.strip_suffix(&EMPTY_PAGE) {
                    written = rest;
                }
                writeln!(out, "file {} {} {}", content.len(), written.len(), text(&path)?)?;
                out.write_all(written)?;
            } else {
                bail!("{} is neither a file nor a folder", entry.path().display());
            }
        }
    }
    writeln!(out, "{END}")?;
    Ok(out.flush()?)
}

/// Creates `data`, which must not exist yet, from `file`. A failure may leave a part of it.
pub(crate) fn unpack(file: &File, data: &Path, account: &Account) -> anyhow::Result<()> {
    let mut from = BufReader::new(file);
    let (mut line, mut content) = (String::new(), Vec::new());
    loop {
        line.clear();
        from.read_line(&mut line)?;
        let words = line.strip_suffix('\n').context("the archive is cut off")?;
        match words.split_once(' ') {
            None if words == END => return Ok(()),
            Some(("folder", path)) => {
                let path = below(data, path)?;
                DirBuilder::new().mode(0o700).create(&path)?;
                account.hand_over(&path)?;
            }
            Some(("file", words)) => {
                let mut words = words.splitn(3, ' ');
                let mut next = || words.next().context("a line is cut off");
                let (length, written, path): (u64, u64, _) =
                    (next()?.parse()?, next()?.parse()?, below(data, next()?)?);
                content.clear();
                // Reading and writing is faster here than having the kernel copy a range of the file. If the file
                // ends early, the next line is missing too, which is an error.
                from.by_ref().take(written).read_to_end(&mut content)?;
                let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                to.write_all(&content)?;
                if written < length {
                    to.set_len(length)?;
                }
                account.hand_over(&path)?;
            }
            _ => bail!("the archive has the line {words:?}"),
        }
    }
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str()
        .filter(|text| !text.contains('\n'))
        .with_context(|| format!("{} has a name that the format does not allow", path.display()))
}

/// The place of an archived path in `data`. A path that leads out of it is an error.
fn below(data: &Path, path: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(path);
    ensure!(path.components().all(|it| matches!(it, Component::Normal(_))), "{} leads out", path.display());
    // Joining an empty path would add a slash.
    Ok(if path.as_os_str().is_empty() { data.to_owned() } else { data.join(path) })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Trial(PathBuf);

    impl Drop for Trial {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// A folder with some content, its archive, and a place to unpack that to.
    fn packed() -> (Trial, PathBuf, PathBuf) {
        let folder = std::env::temp_dir().join(format!("xtask-archive-{:08x}", rand::random::<u32>()));
        let (data, archive) = (folder.join("data"), folder.join("archive"));
        fs::create_dir_all(data.join("base/empty")).unwrap();
        fs::write(data.join("base/page"), [&[7; 50], &[0; 8192][..]].concat()).unwrap();
        fs::write(data.join("base/nothing"), "").unwrap();
        fs::write(data.join("two words"), "end\n").unwrap();
        pack(&data, &File::create(&archive).unwrap()).unwrap();
        let copy = folder.join("copy");
        (Trial(folder), archive, copy)
    }

    fn unpacked(archive: &Path, copy: &Path) -> anyhow::Result<()> {
        unpack(&File::open(archive)?, copy, &Account::Own)
    }

    #[test]
    fn an_unpacked_archive_has_the_packed_content_and_is_private() {
        let (folder, archive, copy) = packed();
        unpacked(&archive, &copy).unwrap();
        for file in ["base/page", "base/nothing", "two words"] {
            assert_eq!(
                fs::read(copy.join(file)).unwrap(),
                fs::read(folder.0.join("data").join(file)).unwrap()
            );
            assert_eq!(fs::metadata(copy.join(file)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        for folder in ["", "base", "base/empty"] {
            assert_eq!(fs::metadata(copy.join(folder)).unwrap().permissions().mode() & 0o777, 0o700);
        }
        assert!(fs::metadata(archive).unwrap().len() < 1000);
    }

    #[test]
    fn an_archive_that_is_cut_off_anywhere_is_rejected() {
        let (_folder, archive, copy) = packed();
        let whole = fs::read(&archive).unwrap();
        for length in 0..whole.len() {
            fs::write(&archive, &whole[..length]).unwrap();
            assert!(unpacked(&archive, &copy).is_err(), "{length} of {}", whole.len());
            let _ = fs::remove_dir_all(&copy);
        }
    }

    #[test]
    fn an_archive_writes_nothing_outside_its_folder() {
        let (folder, archive, copy) = packed();
        for path in ["../out", "/out", "base/../../out"] {
            fs::write(&archive, format!("folder \nfile 1 1 {path}\nxend\n")).unwrap();
            assert!(unpacked(&archive, &copy).unwrap_err().to_string().ends_with("leads out"));
            fs::remove_dir(&copy).unwrap();
        }
        assert!(!folder.0.join("out").exists());
    }
}
