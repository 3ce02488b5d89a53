//! Prints a picture of the schema, or keeps it in `migrations/docs`, where the README shows it.
//!
//! A picture depends on nothing but the files of the checkout, and the same files always give the same bytes.

use std::{fs, io, path::Path};

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    checkout::Checkout,
    terminal::{exit::Stop, output},
};

/// The folder of the pictures, in the folder of the manifest.
const FOLDER: &str = "docs";

/// What to do with a picture.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Write the picture to migrations/docs, as SVG and as Mermaid
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Check whether the picture in migrations/docs is up to date (read-only)
    #[arg(long)]
    check: bool,
}

/// The form in which a picture is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Form {
    /// For people, on a terminal
    #[default]
    Text,
    /// For Markdown on GitHub, GitLab and others
    Mermaid,
    /// For browsers
    Svg,
    /// For programs
    Json,
}

/// One picture in every form.
pub(crate) struct Picture<R> {
    /// The verb that draws it, which is also the name of its files.
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) mermaid: String,
    pub(crate) svg: String,
    /// What `--format json` prints.
    pub(crate) report: R,
}

/// How a file in `migrations/docs` compares with the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is up to date.
    Kept,
    Missing,
    /// It holds another picture.
    Stale,
    /// It was missing or stale, and we wrote it.
    Written,
}

/// What `--write` and `--check` report.
#[derive(Debug, Serialize)]
struct Report {
    files: Vec<ReportedFile>,
}

#[derive(Debug, Serialize)]
struct ReportedFile {
    file: String,
    state: State,
}

impl<R: Serialize> Picture<R> {
    /// Prints, writes or checks the picture. Returns [`Stop::Differs`] if a check finds a missing or stale file.
    pub(crate) fn present(self, checkout: &Checkout, options: Options) -> anyhow::Result<()> {
        if options.write || options.check {
            return self.write_or_check(checkout, options);
        }
        match options.format {
            Form::Text => output::raw(&self.text),
            Form::Mermaid => output::raw(&self.mermaid),
            Form::Svg => output::raw(&self.svg),
            Form::Json => output::json(&self.report),
        }
        Ok(())
    }

    fn write_or_check(self, checkout: &Checkout, options: Options) -> anyhow::Result<()> {
        let mut files = Vec::new();
        for (extension, drawn) in [("svg", &self.svg), ("mmd", &self.mermaid)] {
            let file = format!("{}/{FOLDER}/{}.{extension}", checkout.folder(), self.name);
            let path = checkout.root.join(&file);
            let mut state = compare(&path, drawn)?;
            if options.write && state != State::Kept {
                write(&path, drawn)?;
                state = State::Written;
            }
            files.push(ReportedFile { file, state });
        }
        let differs = files.iter().any(|file| matches!(file.state, State::Missing | State::Stale));
        if options.format == Form::Json {
            output::json(&Report { files });
        } else {
            for ReportedFile { file, state } in &files {
                output::line(&format!("{:<8}  {file}", state.word()));
            }
            if differs {
                output::line(&format!("\ndraw it again: cargo xtask {} --write", self.name));
            }
        }
        if differs { Err(Stop::Differs.into()) } else { Ok(()) }
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Kept => "kept",
            State::Missing => "missing",
            State::Stale => "stale",
            State::Written => "written",
        }
    }
}

/// Compares a file with what was drawn.
fn compare(path: &Path, drawn: &str) -> anyhow::Result<State> {
    match fs::read(path) {
        Ok(bytes) if bytes == drawn.as_bytes() => Ok(State::Kept),
        Ok(_) => Ok(State::Stale),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::Missing),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// Writes a file, and creates its folder if necessary.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}
