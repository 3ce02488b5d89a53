//! A dump: a folder with one file per table, in the text format of Postgres's COPY, and `dump.json`, which describes them.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use migrations::{Direction, Ledger};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    rows::{sequences::SequenceState, tables::Column},
    terminal::shell::shell_path,
};

/// The file that describes the others.
pub(crate) const FILE: &str = "dump.json";
/// The version of the format that we write and read.
pub(crate) const FORMAT: u32 = 2;
/// The characters of a table's name that we percent-encode in the name of its file, because file systems may reject them.
const IN_A_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// Whether the files of a dump must still be the ones that were dumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// Each must have the checksum and the number of rows that `dump.json` records.
    Unchanged,
    /// They were edited on purpose, and only have to be there.
    Edited,
}

/// The content of `dump.json`. It holds no time and no place, so the same rows always make the same dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dump {
    pub(crate) format: u32,
    /// The version of the server that was dumped. Other versions can read the files too.
    pub(crate) postgres: String,
    /// The applied migrations.
    pub(crate) migrations: Vec<Migration>,
    /// In an order in which they can be loaded one after the other.
    pub(crate) tables: Vec<DumpedTable>,
    /// By name.
    pub(crate) sequences: Vec<SequenceState>,
    /// What the database had besides, for people: `table far is left out: its rows are on another server`.
    pub(crate) left_out: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Migration {
    pub(crate) migration: String,
    /// SHA-384 of its file in hexadecimal, as the ledger records it.
    pub(crate) checksum: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DumpedTable {
    pub(crate) table: String,
    pub(crate) file: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: u64,
    pub(crate) sha256: String,
    /// The columns that a load leaves out.
    #[serde(skip)]
    pub(crate) left_out: Vec<String>,
}

/// Returns the name of a table's file.
pub(crate) fn file_name(table: &str) -> String {
    format!("{}.copy", utf8_percent_encode(table, IN_A_NAME))
}

/// Returns the files that a folder's `dump.json` lists, whichever format it has.
pub(crate) fn listed_files(folder: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(folder.join(FILE)).ok()?;
    let dump: serde_json::Value = serde_json::from_str(&text).ok()?;
    dump["format"].as_u64()?;
    let tables = dump["tables"].as_array()?.iter();
    tables.map(|table| Some(table["file"].as_str()?.to_owned())).collect()
}

/// Lists the applied migrations for `dump.json`.
pub(crate) fn applied_migrations(ledger: &Ledger) -> Vec<Migration> {
    let applied = ledger.applied().filter(|row| row.unfinished != Some(Direction::Up)).map(|row| Migration {
        migration: format!("{}/{}", row.app, row.name()),
        checksum: hex::encode(&row.checksum),
    });
    applied.collect()
}

/// Hashes the text of a table's file and counts its lines. A line is a row: COPY writes a line break in a value as `\n`.
#[derive(Default)]
pub(crate) struct Tally {
    hash: Sha256,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    mid_line: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, text: &[u8]) {
        self.hash.update(text);
        self.bytes += text.len() as u64;
        self.rows += text.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.mid_line = text.last().map_or(self.mid_line, |byte| *byte != b'\n');
    }

    /// Returns the number of lines, including a last one that an editor left without a line break.
    pub(super) fn lines(&self) -> u64 {
        self.rows + u64::from(self.mid_line)
    }

    pub(crate) fn sha256(self) -> String {
        hex::encode(self.hash.finalize())
    }
}

impl Dump {
    /// Reads a folder's `dump.json`. Fails if there is none, or if it is damaged or of another format.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Dump> {
        let path = folder.join(FILE);
        let shown = path.display();
        if !path.is_file() {
            bail!(
                "{} holds no dump: {FILE} is missing\n  make one: cargo xtask dumpdata --output FOLDER",
                folder.display()
            );
        }
        let text = fs::read_to_string(&path).with_context(|| format!("read {shown}"))?;
        let damaged = |error| {
            anyhow!(
                "{shown} is damaged: {error}\n  restore it, or dump again: cargo xtask dumpdata --output FOLDER"
            )
        };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(damaged)?;
        match value["format"].as_u64() {
            Some(format) if format != u64::from(FORMAT) => bail!(
                "{shown} has format {format}, but this tool reads {FORMAT}\n  load it with the checkout that dumped it"
            ),
            _ => {}
        }
        let dump: Dump = serde_json::from_value(value).map_err(damaged)?;
        if let Some(table) = dump.tables.iter().find(|table| table.file != file_name(&table.table)) {
            bail!("{shown} is damaged: {} is not the file of table {}", table.file, table.table);
        }
        Ok(dump)
    }

    /// Makes sure that a folder holds exactly the files of the dump, and, unless they were edited, that each still has its
    /// checksum. Lists every problem at once.
    pub(crate) async fn verify(&self, folder: &Path, files: Files) -> anyhow::Result<()> {
        let mut problems = self.missing_and_extra(folder)?;
        let complete = problems.is_empty();
        if files == Files::Unchanged {
            problems.extend(self.changed(folder).await?);
        }
        if problems.is_empty() {
            return Ok(());
        }
        let folder = shell_path(folder);
        let or = format!("; if you edited the files on purpose: cargo xtask loaddata {folder} --edited");
        bail!(
            "the dump is damaged; nothing was loaded\n  {}\n  restore it or dump again{}",
            problems.join("\n  "),
            if complete { or.as_str() } else { "" }
        )
    }

    /// Lists the files of a folder that are not the dump's, and the files of the dump that are missing there.
    fn missing_and_extra(&self, folder: &Path) -> anyhow::Result<Vec<String>> {
        let mut problems = Vec::new();
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
            found.push(entry?.file_name().to_string_lossy().into_owned());
        }
        found.sort();
        // Desktops leave hidden files in folders that people look at.
        for name in found.iter().filter(|name| *name != FILE && !name.starts_with('.')) {
            if !self.tables.iter().any(|table| table.file == *name) {
                problems.push(format!("{} is not part of the dump", folder.join(name).display()));
            }
        }
        for table in &self.tables {
            let path = folder.join(&table.file);
            if !found.contains(&table.file) {
                problems.push(format!("{} is missing", path.display()));
            } else if !path.is_file() {
                // Opening a pipe would block for ever, and Ctrl-C would not end it.
                problems.push(format!("{} is not a file", path.display()));
            }
        }
        Ok(problems)
    }

    /// Lists the files whose checksum is not the recorded one.
    async fn changed(&self, folder: &Path) -> anyhow::Result<Vec<String>> {
        let mut problems = Vec::new();
        for table in &self.tables {
            let path = folder.join(&table.file);
            if path.is_file() && sha256(&path).await? != table.sha256 {
                problems.push(format!("{} has changed since it was dumped", path.display()));
            }
        }
        Ok(problems)
    }
}

/// Hashes a file.
async fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut file = open(path)?;
    let (mut tally, mut buffer) = (Tally::default(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).with_context(|| format!("read {}", path.display()))?;
        if read == 0 {
            return Ok(tally.sha256());
        }
        tally.add(&buffer[..read]);
        // Lets Ctrl-C end the command between two parts of a large file.
        tokio::task::yield_now().await;
    }
}

/// Opens a file, and names it in the error if that fails.
pub(super) fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("open {}", path.display()))
}

/// Formats a number of bytes for people: `512 bytes`, `24 kB`, `31 MB`.
pub(crate) fn format_size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// Makes a path absolute, so that it stays valid if the current folder changes.
pub(crate) fn absolute(folder: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(folder).with_context(|| format!("find {}", folder.display()))
}
