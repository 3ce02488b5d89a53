//! Where the `xtask` of another repository takes this library from.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use toml_edit::{InlineTable, Value};

use crate::checkout::library;

/// A source of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A checkout on this machine.
    Folder(PathBuf),
    /// A git repository, and a revision of it.
    Git { url: String, revision: Option<String> },
}

impl Source {
    /// Reads `PATH` or `GIT-URL[@REV]`. The default is the checkout that this program was built in.
    pub(super) fn new(named: Option<&str>) -> anyhow::Result<Source> {
        if let Some((url, revision)) = named.and_then(as_git) {
            return Ok(Source::Git { url: url.to_owned(), revision: revision.map(str::to_owned) });
        }
        let folder = named.map_or_else(|| library(), Path::new);
        let folder = folder.canonicalize().with_context(|| format!("open {}", folder.display()))?;
        ensure!(
            folder.join("xtask/src/host.rs").is_file(),
            "{} is no checkout of this library; name one, or the URL of a git repository: --source SOURCE",
            folder.display()
        );
        Ok(Source::Folder(folder))
    }

    /// The value of the dependency on a package of the library, in the manifest in a folder of the repository at `root`:
    /// its top folder, or one right below that.
    pub(super) fn dependency(&self, root: &Path, folder: &str, package: &str) -> String {
        let mut table = InlineTable::new();
        match self {
            Source::Folder(library) => {
                let top = Path::new(if folder.is_empty() { "" } else { ".." });
                let library = beside(root, library).map_or_else(|| library.clone(), |way| top.join(way));
                table.insert("path", Value::from(library.join(package).display().to_string()));
            }
            Source::Git { url, revision } => {
                table.insert("git", Value::from(url.as_str()));
                if let Some(revision) = revision {
                    table.insert("rev", Value::from(revision.as_str()));
                }
            }
        }
        table.to_string().trim().to_owned()
    }
}

/// A URL, and the revision behind an `@` at its end; a user's name has one too.
fn as_git(named: &str) -> Option<(&str, Option<&str>)> {
    let (_, address) = named.split_once("://")?;
    match address.rsplit_once('@') {
        Some((before, revision)) if before.contains('/') && !revision.contains(['/', ':']) => {
            Some((&named[..named.len() - revision.len() - 1], Some(revision)))
        }
        _ => Some((named, None)),
    }
}

/// The path from the top folder of a repository to a folder inside it, or right beside it: there, several people may have
/// both.
fn beside(root: &Path, folder: &Path) -> Option<PathBuf> {
    if let Ok(below) = folder.strip_prefix(root) {
        return Some(below.to_owned());
    }
    let neighbour = folder.parent() == root.parent();
    neighbour.then(|| folder.file_name().map(|name| Path::new("..").join(name)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_behind_the_path_of_a_url() {
        for (named, expected) in [
            ("https://example.org/x/y", Some(("https://example.org/x/y", None))),
            ("https://example.org/x/y.git@v1", Some(("https://example.org/x/y.git", Some("v1")))),
            ("ssh://git@example.org/x/y", Some(("ssh://git@example.org/x/y", None))),
            ("ssh://git@example.org/x/y@abc", Some(("ssh://git@example.org/x/y", Some("abc")))),
            ("../checkout", None),
        ] {
            assert_eq!(as_git(named), expected, "{named}");
        }
    }

    #[test]
    fn a_neighbour_is_named_by_the_way_to_it() {
        for (root, folder, expected) in [
            ("/home/me/shop", "/home/me/workflow", Some("../workflow")),
            ("/home/me/shop", "/home/me/shop/vendor/workflow", Some("vendor/workflow")),
            ("/home/me/shop", "/opt/workflow", None),
            ("/home/me/shop", "/home/me/other/workflow", None),
        ] {
            assert_eq!(beside(Path::new(root), Path::new(folder)), expected.map(PathBuf::from), "{folder}");
        }
    }
}
