//! The files that make a repository's `cargo xtask`: a small workspace in `xtask/`, and the alias.

use std::{ffi::OsString, fs};

use anyhow::{Context, bail};
use duct::cmd;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::{
    checkout::library,
    files::edits::Edit,
    helpers::built,
    verbs::init::{repository::Repository, source::Source},
};

/// The files, by their paths in the repository. The manifest's dependency is replaced by the source of the library.
const FILES: [(&str, &str); 7] = [
    ("xtask/Cargo.toml", include_str!("../../../host/Cargo.toml")),
    ("xtask/rust-toolchain.toml", include_str!("../../../host/rust-toolchain.toml")),
    ("xtask/.gitignore", include_str!("../../../host/gitignore")),
    ("xtask/src/main.rs", include_str!("../../../host/src/main.rs")),
    ("xtask/start/Cargo.toml", include_str!("../../../host/start/Cargo.toml")),
    ("xtask/start/Cargo.lock", include_str!("../../../host/start/Cargo.lock")),
    ("xtask/start/src/main.rs", include_str!("../../../host/start/src/main.rs")),
];
const DEPENDENCY: &str = "xtask = { path = \"..\" }";
/// What the manifest of an `xtask/` says that this command has written.
const MARK: &str = "name = \"xtask-host\"";
/// What a lock file is called.
const LOCK: &str = "Cargo.lock";
const CONFIG: &str = ".cargo/config.toml";
/// The name that cargo read before there was the one with an ending, and still reads.
const OLD_CONFIG: &str = ".cargo/config";

/// What the repository lacks, and what it has already.
#[derive(Default)]
pub(super) struct Draft {
    /// The changes to make.
    pub(super) edits: Vec<Edit>,
    /// The paths of the files that `edits` makes or changes, below the repository's top.
    pub(super) paths: Vec<String>,
}

impl Draft {
    /// Adds a file that is not there yet.
    pub(super) fn create(&mut self, repository: &Repository, path: &str, text: String) {
        self.edits.push(Edit::Create { path: repository.path(path), text });
        self.paths.push(path.to_owned());
    }
}

/// Drafts what the repository lacks. Fails if something else has the name of one of these files, or of the alias.
pub(super) fn draft(repository: &Repository, source: &Source) -> anyhow::Result<Draft> {
    let mut draft = Draft::default();
    require_free(repository)?;
    for (path, text) in FILES {
        if !repository.path(path).exists() {
            let dependency = source.dependency(&repository.root, "xtask", "xtask");
            let text = text.replace(DEPENDENCY, &format!("xtask = {dependency}"));
            draft.create(repository, path, text);
        }
    }
    if !repository.path("xtask/Cargo.lock").exists() {
        draft.create(repository, "xtask/Cargo.lock", lock()?);
    }
    alias(repository, &mut draft)?;
    Ok(draft)
}

/// Fails if the repository has an `xtask/` that is not ours, or a workspace that would take ours in.
fn require_free(repository: &Repository) -> anyhow::Result<()> {
    let manifest = repository.path("xtask/Cargo.toml");
    let is_ours = fs::read_to_string(&manifest).is_ok_and(|text| text.contains(MARK));
    // `xtask/apps.toml` may be there alone.
    let others = ["xtask/Cargo.toml", "xtask/src", "xtask/start"];
    if let Some(other) = others.into_iter().find(|path| repository.path(path).exists())
        && !is_ours
    {
        bail!(
            "{other} is this repository's own, so nothing was written\n  rename that folder and its alias, and run the \
             same command again\n  or add the library to it: xtask::main(&xtask::Host::new(ROOT)), as in {}",
            library().join("xtask/host/src/main.rs").display()
        );
    }
    let Ok(text) = fs::read_to_string(repository.path("Cargo.toml")) else { return Ok(()) };
    let Ok(workspace) = text.parse::<DocumentMut>() else { return Ok(()) };
    let list = |key: &str| -> Vec<String> {
        let list = workspace.get("workspace").and_then(|it| it.get(key)).and_then(Item::as_array);
        list.into_iter().flatten().filter_map(|it| it.as_str()).map(str::to_owned).collect()
    };
    let takes_in = |member: &&String| matches!(member.trim_start_matches("./"), "*" | "**" | "xtask" | "x*");
    if let Some(member) = list("members").iter().find(takes_in)
        && !list("exclude").iter().any(|it| it == "xtask")
    {
        bail!(
            "the workspace's members `{member}` would take in xtask/, which is a workspace of its own; nothing was \
             written\n  add this to [workspace] in Cargo.toml, and run the same command again: exclude = [\"xtask\"]"
        );
    }
    Ok(())
}

/// Adds the alias to cargo's settings, unless it is there. The rest of the file stays, comments too.
fn alias(repository: &Repository, draft: &mut Draft) -> anyhow::Result<()> {
    let old_name = !repository.path(CONFIG).exists() && repository.path(OLD_CONFIG).exists();
    let config = if old_name { OLD_CONFIG } else { CONFIG };
    let path = repository.path(config);
    let old = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(_) if !path.exists() => None,
        Err(error) => return Err(error).with_context(|| format!("read {config}")),
    };
    let mut document: DocumentMut =
        old.as_deref().unwrap_or_default().parse().with_context(|| format!("read {config}"))?;
    let target = document.get("build").and_then(|build| build.get("target")).is_some();
    if let Some(there) = document.get("alias").and_then(|it| it.get("xtask")) {
        let words = words(there);
        if words.iter().any(|word| word == "xtask/start/Cargo.toml") {
            return Ok(());
        }
        bail!(
            "the alias `xtask` in {config} is this repository's own, so nothing was written: {}\n  rename it, and run \
             the same command again",
            words.join(" ")
        );
    }
    let aliases = document.entry("alias").or_insert_with(|| Item::Table(Table::new()));
    let Some(aliases) = aliases.as_table_like_mut() else { bail!("{config}: `alias` is no table") };
    aliases.insert("xtask", value(command(target)));
    let new = document.to_string();
    draft.paths.push(config.to_owned());
    draft.edits.push(match old {
        Some(old) => Edit::Rewrite { path, old, new },
        None => Edit::Create { path, text: new },
    });
    Ok(())
}

/// The alias. A repository that builds for another target needs the first program for this machine all the same.
fn command(builds_for_another_target: bool) -> String {
    let target = if builds_for_another_target { "--target host-tuple " } else { "" };
    format!("run --quiet --profile start {target}--manifest-path xtask/start/Cargo.toml --")
}

/// The words of an alias, which is a text or a list.
fn words(alias: &Item) -> Vec<String> {
    let text = alias.as_str().map(|text| text.split_whitespace().map(str::to_owned).collect());
    let list =
        || alias.as_array().into_iter().flatten().filter_map(|it| it.as_str()).map(str::to_owned).collect();
    text.unwrap_or_else(list)
}

/// The library's lock file: the versions that it is tested with.
pub(super) fn lock() -> anyhow::Result<String> {
    let lock = library().join(LOCK);
    fs::read_to_string(&lock).with_context(|| format!("read {}", lock.display()))
}

/// Takes out of the new lock files what their packages do not need. If cargo can't, the next build does it.
pub(super) fn prune_locks(repository: &Repository, draft: &Draft) {
    let locks = draft
        .paths
        .iter()
        .filter(|path| !path.contains("/start/"))
        .filter_map(|path| path.strip_suffix(LOCK));
    for folder in locks {
        for network in [&["--offline"] as &[&str], &[]] {
            let update = ["update", "--quiet", "--workspace", "--manifest-path"].map(OsString::from);
            let manifest = repository.path(&format!("{folder}Cargo.toml")).into();
            let args = update.into_iter().chain([manifest]).chain(network.iter().map(OsString::from));
            // From a folder in which cargo sees none of the repository's settings, as for the build itself.
            let update = cmd(built::cargo(), args).dir("/").stdout_null().stderr_null();
            if update.run().is_ok() {
                break;
            }
        }
    }
}
