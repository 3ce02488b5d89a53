//! What is drawn of the schema: shown on standard output, or kept in `migrations/docs`, where the README finds it.
//!
//! A picture is made of the files of the checkout alone, and the same files always give the same bytes.

use std::{fs, io, path::Path};

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::{
    checkout::Checkout,
    terminal::{exit::Stop, output},
};

/// Where pictures are kept, below the checkout.
const FOLDER: &str = "migrations/docs";

/// What is to become of a picture.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Keep the picture in migrations/docs, as SVG and as Mermaid
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Only tell whether the picture that is kept there is the one that would be drawn; write nothing
    #[arg(long)]
    check: bool,
}

/// In which form a picture is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Form {
    /// For people, on a terminal
    #[default]
    Text,
    /// For Markdown that is shown by GitHub, GitLab and others
    Mermaid,
    /// For browsers
    Svg,
    /// For programs
    Json,
}

/// One picture in every form.
pub(crate) struct Picture {
    /// The verb that draws it, and the name of its files.
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) mermaid: String,
    pub(crate) svg: String,
    pub(crate) json: Value,
}

impl Picture {
    pub(crate) fn present(self, checkout: &Checkout, options: Options) -> anyhow::Result<()> {
        if options.write || options.check {
            return self.keep(checkout, options);
        }
        match options.format {
            Form::Text => output::raw(&self.text),
            Form::Mermaid => output::raw(&self.mermaid),
            Form::Svg => output::raw(&self.svg),
            Form::Json => output::json(&self.json),
        }
        Ok(())
    }

    fn keep(self, checkout: &Checkout, options: Options) -> anyhow::Result<()> {
        let mut files = Vec::new();
        for (ending, drawn) in [("svg", &self.svg), ("mmd", &self.mermaid)] {
            let path = format!("{FOLDER}/{}.{ending}", self.name);
            let file = checkout.root.join(&path);
            let state = match (kept(&file)?, options.check) {
                (Some(kept), _) if kept == drawn.as_bytes() => "kept",
                (None, true) => "missing",
                (Some(_), true) => "stale",
                (_, false) => {
                    write(&file, drawn)?;
                    "written"
                }
            };
            files.push((path, state));
        }
        let stale = files.iter().any(|(_, state)| ["missing", "stale"].contains(state));
        if options.format == Form::Json {
            let files = files.iter().map(|(path, state)| json!({ "file": path, "state": state }));
            output::json(&json!({ "files": files.collect::<Vec<_>>() }));
        } else {
            for (path, state) in &files {
                output::line(&format!("{state:<8}  {path}"));
            }
            if stale {
                output::line(&format!("\ndraw it again: cargo xtask {} --write", self.name));
            }
        }
        if stale { Err(Stop::Differs.into()) } else { Ok(()) }
    }
}

fn kept(file: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    fs::write(file, text).with_context(|| format!("write {}", file.display()))
}
