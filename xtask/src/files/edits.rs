//! Changes to several files: all of them, or none.

use std::{
    fs,
    io::{self, Write},
    mem,
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, anyhow};

use crate::terminal::output;

/// A change to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Makes a file that must not exist yet.
    Create { path: PathBuf, text: String },
    /// Renames a file to a name that nothing has yet.
    Rename { from: PathBuf, to: PathBuf },
    /// Replaces the text of a file.
    Rewrite { path: PathBuf, old: String, new: String },
}

/// Makes the changes in order. If one fails, undoes those before it.
pub(crate) fn apply(edits: &[Edit]) -> anyhow::Result<()> {
    for (index, edit) in edits.iter().enumerate() {
        let Err(error) = edit.apply() else { continue };
        return Err(match undo(&edits[..index]).as_slice() {
            [] => error.context("nothing was changed"),
            remaining => anyhow!(
                "{error:#}; and the changes before it could not be undone:\n  {}",
                remaining.join("\n  ")
            ),
        });
    }
    Ok(())
}

/// Undoes the changes, the last one first, and returns why some could not be undone.
fn undo(edits: &[Edit]) -> Vec<String> {
    edits.iter().rev().filter_map(|edit| edit.undo().err()).map(|error| format!("{error:#}")).collect()
}

/// Changes that are undone when this is dropped, unless they are kept.
#[must_use]
pub(crate) struct Tentative<'e>(&'e [Edit]);

impl<'e> Tentative<'e> {
    /// Makes the changes in order. If one fails, undoes those before it.
    pub(crate) fn apply(edits: &'e [Edit]) -> anyhow::Result<Tentative<'e>> {
        apply(edits).map(|()| Tentative(edits))
    }

    /// Lets the changes stay.
    pub(crate) fn keep(self) {
        mem::forget(self);
    }
}

impl Drop for Tentative<'_> {
    fn drop(&mut self) {
        for why in undo(self.0) {
            output::remark(&format!("a change could not be undone: {why}"));
        }
    }
}

impl Edit {
    fn apply(&self) -> anyhow::Result<()> {
        match self {
            Edit::Create { path, text } => {
                create(path, text).with_context(|| format!("create {}", path.display()))
            }
            Edit::Rename { from, to } => rename(from, to),
            Edit::Rewrite { path, new, .. } => rewrite(path, new),
        }
    }

    fn undo(&self) -> anyhow::Result<()> {
        match self {
            Edit::Create { path, .. } => {
                fs::remove_file(path).with_context(|| format!("remove {}", path.display()))
            }
            Edit::Rename { from, to } => rename(to, from),
            Edit::Rewrite { path, old, .. } => rewrite(path, old),
        }
    }
}

/// Creates a file, never over an existing one; a full disk leaves nothing behind.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    let doing = || format!("rename {} to {}", from.display(), to.display());
    match fs::symlink_metadata(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(doing),
        Ok(_) => return Err(anyhow!("that name is taken")).with_context(doing),
    }
    fs::rename(from, to).with_context(doing)
}

/// Replaces a file by renaming a new one over it, so that a full disk loses nothing.
fn rewrite(path: &Path, text: &str) -> anyhow::Result<()> {
    let rewriting = || {
        let path = path.canonicalize()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = path.with_file_name(format!(".{name}.{}", process::id()));
        create(&beside, text)?;
        let replaced = fs::set_permissions(&beside, fs::metadata(&path)?.permissions());
        replaced.and_then(|()| fs::rename(&beside, &path)).inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
    };
    rewriting().with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::temporary::TemporaryFolder;

    #[test]
    fn all_changes_are_undone_if_one_fails() {
        let folder = TemporaryFolder::create("edits").unwrap();
        let path = |name: &str| folder.join(name);
        fs::write(path("a"), "one").unwrap();
        fs::write(path("taken"), "two").unwrap();
        let edits = [
            Edit::Create { path: path("new"), text: "three".to_owned() },
            Edit::Rewrite { path: path("a"), old: "one".to_owned(), new: "four".to_owned() },
            Edit::Rename { from: path("a"), to: path("b") },
            Edit::Rename { from: path("b"), to: path("taken") },
        ];
        let said = format!("{:#}", apply(&edits).unwrap_err());
        assert!(said.starts_with("nothing was changed: ") && said.contains("that name is taken"), "{said}");
        assert!(apply(&[Edit::Create { path: path("taken"), text: String::new() }]).is_err());
        let mut names: Vec<_> = fs::read_dir(&*folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a", "taken"]);
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "one");
        assert_eq!(fs::read_to_string(path("taken")).unwrap(), "two");

        drop(Tentative::apply(&edits[..3]).unwrap());
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "one");
        assert!(!path("b").exists() && !path("new").exists());

        Tentative::apply(&edits[..3]).unwrap().keep();
        assert_eq!(fs::read_to_string(path("b")).unwrap(), "four");
    }
}
