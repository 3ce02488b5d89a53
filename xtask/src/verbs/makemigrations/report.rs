//! Writes the files that are proven, or only says what they would be.

use anyhow::bail;
use migrations::{Project, SourceFile};
use serde::Serialize;

use super::proof::Written;
use crate::{
    checkout::Checkout,
    files::edits::{self, Edit},
    terminal::{exit::Stop, format::Format, output},
};

/// A new migration, for `--format json`.
#[derive(Serialize)]
struct Row<'w> {
    migration: String,
    up: &'w str,
    down: &'w str,
}

/// The report of `--format json`.
#[derive(Serialize)]
struct Report<'w> {
    /// The paths of the files that were written.
    created: Vec<String>,
    migrations: Vec<Row<'w>>,
    /// Whether the lists of tables in the manifest change.
    manifest: bool,
}

/// What is to be written.
pub(super) struct Changes {
    pub(super) migrations: Vec<Written>,
    /// The manifest before and after.
    pub(super) manifest: [String; 2],
}

/// What happens to the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Written,
    Printed,
    /// It is an error if there are any.
    Missed,
}

impl Changes {
    /// Writes or prints them. `files` are those that they were made from.
    pub(super) fn finish(
        &self,
        checkout: &Checkout,
        project: &Project,
        files: &[SourceFile],
        mode: Mode,
        format: Format,
    ) -> anyhow::Result<()> {
        let Changes { migrations, manifest: [before, after] } = self;
        let (mut paths, mut texts) = (Vec::new(), Vec::new());
        for written in migrations {
            let folder = &project.app(&written.id.app)?.folder;
            for (name, text) in written.files() {
                paths.push(format!("{folder}/{name}"));
                texts.push(text);
            }
        }
        let writes = mode == Mode::Written;
        if writes {
            let create = |(path, text): (&String, &&str)| Edit::Create {
                path: checkout.root.join(path),
                text: (*text).to_owned(),
            };
            let mut edits: Vec<Edit> = paths.iter().zip(&texts).map(create).collect();
            if before != after {
                let path = checkout.migrations().join("apps.toml");
                edits.push(Edit::Rewrite { path, old: before.clone(), new: after.clone() });
            }
            if SourceFile::read_folder(&checkout.migrations())? != files {
                bail!(
                    "the files of the migrations changed meanwhile; nothing was written\n  run the same command again"
                );
            }
            edits::apply(&edits)?;
        }
        let nothing = migrations.is_empty() && before == after;
        match format {
            Format::Json => output::json(&Report {
                created: if writes { paths } else { Vec::new() },
                migrations: migrations
                    .iter()
                    .map(|it| Row { migration: it.id.to_string(), up: &it.up, down: &it.down })
                    .collect(),
                manifest: before != after,
            }),
            Format::Text if nothing => output::line("the migrations make what the schema files say"),
            Format::Text if mode == Mode::Printed => {
                for (path, text) in paths.iter().zip(texts) {
                    output::line(&format!("-- file: {path}\n{text}"));
                }
            }
            Format::Text => self.report(project, &paths, mode),
        }
        if mode == Mode::Missed && !nothing { Err(Stop::Differs.into()) } else { Ok(()) }
    }

    fn report(&self, project: &Project, paths: &[String], mode: Mode) {
        let check = mode == Mode::Missed;
        let word = if check { "missing" } else { "created" };
        for (at, path) in paths.iter().enumerate() {
            output::line(&format!("{:<10} {path}", if at == 0 { word } else { "" }));
        }
        if self.manifest[0] != self.manifest[1] {
            let word = if check { "outdated" } else { "changed" };
            output::line(&format!("{word:<10} {}/apps.toml", project.folder));
        }
        if check {
            output::line("\nwrite them: cargo xtask makemigrations");
        } else {
            output::line(
                "\neach was applied, compared with the schema files, reverted and compared with before",
            );
            output::line("then: cargo xtask migrate && cargo xtask verify");
        }
    }
}
