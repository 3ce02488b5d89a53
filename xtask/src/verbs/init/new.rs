//! A repository that begins with this workflow: one app, one table, one seed, one test.

use anyhow::bail;

use crate::verbs::init::{
    host::{self, Draft},
    manifest,
    repository::Repository,
    source::Source,
};

/// Its files, by their paths.
const FILES: [(&str, &str); 11] = [
    ("Cargo.toml", include_str!("../../../host/new/Cargo.toml")),
    ("rust-toolchain.toml", include_str!("../../../host/rust-toolchain.toml")),
    (".gitignore", include_str!("../../../host/new/gitignore")),
    ("src/lib.rs", include_str!("../../../host/new/src/lib.rs")),
    ("tests/currencies.rs", include_str!("../../../host/new/tests/currencies.rs")),
    ("migrations/apps.toml", include_str!("../../../host/new/migrations/apps.toml")),
    ("migrations/shop/sqlx.toml", include_str!("../../../host/new/migrations/shop/sqlx.toml")),
    ("migrations/shop/schema.sql", include_str!("../../../host/new/migrations/shop/schema.sql")),
    (
        "migrations/shop/0001_initial.up.sql",
        include_str!("../../../host/new/migrations/shop/0001_initial.up.sql"),
    ),
    (
        "migrations/shop/0001_initial.down.sql",
        include_str!("../../../host/new/migrations/shop/0001_initial.down.sql"),
    ),
    ("migrations/shop/seed.sql", include_str!("../../../host/new/migrations/shop/seed.sql")),
];
const DEPENDENCY: &str = "tests = { path = \"../../../tests\" }";
/// The name of the database and of the package in the files above.
const NAME: &str = "\"shop\"";

/// Adds its files. Fails if the repository has one of them.
pub(super) fn draft(repository: &Repository, source: &Source, draft: &mut Draft) -> anyhow::Result<()> {
    if let Some((path, _)) = FILES.into_iter().find(|(path, _)| repository.path(path).exists()) {
        bail!(
            "{path} is there already, so nothing was written\n  for a repository that has migrations: cargo xtask init\n  \
             or begin in an empty folder: cargo xtask init --new --into FOLDER"
        );
    }
    let name = format!("\"{}\"", manifest::database(repository));
    let dependency = source.dependency(&repository.root, "", "tests");
    for (path, text) in FILES {
        let text = text.replace(DEPENDENCY, &format!("tests = {dependency}"));
        let text = text.replace(&format!("\nname = {NAME}\nversion"), &format!("\nname = {name}\nversion"));
        draft.create(
            repository,
            path,
            text.replace(&format!("database = {NAME}"), &format!("database = {name}")),
        );
    }
    draft.create(repository, "Cargo.lock", host::lock()?);
    Ok(())
}
