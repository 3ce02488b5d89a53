//! A dump: a folder with a file a table in the text of Postgres's COPY, and one that says what they are.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use migrations::Ledger;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{catalogue::hex, rows::tables::Column};

/// The file that says what the others are.
pub(crate) const FILE: &str = "dump.json";
/// What we write; another number is another tool's.
pub(crate) const FORMAT: u32 = 1;
/// In the name of a file a table's name stands for itself, but for what a file system might trip over.
const IN_A_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// The same text for the same value, whatever role or server prefer; and an error where a policy would leave rows out.
pub(crate) const SETTINGS: &str = "
    set local timezone = 'UTC'; set local datestyle = 'ISO, MDY'; set local intervalstyle = 'postgres';
    set local extra_float_digits = 3; set local bytea_output = 'hex'; set local lc_monetary = 'C';
    set local xmloption = 'content'; set local row_security = off";

/// What `dump.json` says. Nothing in it tells when or where, so the same rows make the same dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dump {
    pub(crate) format: u32,
    /// The server's version; another one reads the files as well.
    pub(crate) postgres: String,
    /// What was applied.
    pub(crate) migrations: Vec<Migration>,
    /// In an order in which they can be loaded.
    pub(crate) tables: Vec<DumpedTable>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Migration {
    pub(crate) migration: String,
    /// SHA-384 of its file, as the ledger has it.
    pub(crate) checksum: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DumpedTable {
    pub(crate) table: String,
    pub(crate) file: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: u64,
    pub(crate) sha256: String,
    pub(crate) sequences: Vec<DumpedSequence>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DumpedSequence {
    pub(crate) column: String,
    pub(crate) last_value: i64,
    pub(crate) is_called: bool,
}

/// Name of a table's file.
pub(crate) fn file_name(table: &str) -> String {
    format!("{}.copy", utf8_percent_encode(table, IN_A_NAME))
}

/// The ledger as a dump records it.
pub(crate) fn migrations(ledger: &Ledger) -> Vec<Migration> {
    let applied = ledger.applied.iter().map(|row| Migration {
        migration: format!("{}/{:04}_{}", row.app, row.version, row.description.replace(' ', "_")),
        checksum: hex(&row.checksum),
    });
    applied.collect()
}

/// Hashes a file's text, and counts its lines, which are a table's rows: a line break within a value is written `\n`.
#[derive(Default)]
pub(crate) struct Tally {
    hash: Sha256,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    in_a_line: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, text: &[u8]) {
        self.hash.update(text);
        self.bytes += text.len() as u64;
        self.rows += text.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.in_a_line = text.last().map_or(self.in_a_line, |byte| *byte != b'\n');
    }

    /// Lines, also where somebody's editor left out the last line break.
    pub(crate) fn lines(&self) -> u64 {
        self.rows + u64::from(self.in_a_line)
    }

    pub(crate) fn sha256(self) -> String {
        hex(&self.hash.finalize())
    }
}

impl Dump {
    /// Reads what a folder says of itself.
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
                "{shown} is of format {format}, and this tool reads {FORMAT}\n  load it with the checkout that made it"
            ),
            _ => {}
        }
        let dump: Dump = serde_json::from_value(value).map_err(damaged)?;
        if let Some(table) = dump.tables.iter().find(|table| table.file != file_name(&table.table)) {
            bail!("{shown} is damaged: {} is not the file of table {}", table.file, table.table);
        }
        Ok(dump)
    }

    /// Files of a folder that are none of the dump's, and files of the dump that are not there.
    pub(crate) fn files_amiss(&self, folder: &Path) -> anyhow::Result<Vec<String>> {
        let mut amiss = Vec::new();
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
            found.push(entry?.file_name().to_string_lossy().into_owned());
        }
        found.sort();
        // Hidden files are those of desktops.
        for name in found.iter().filter(|name| *name != FILE && !name.starts_with('.')) {
            if !self.tables.iter().any(|table| table.file == *name) {
                amiss.push(format!("{} is no part of the dump", folder.join(name).display()));
            }
        }
        for table in &self.tables {
            let path = folder.join(&table.file);
            if !found.contains(&table.file) {
                amiss.push(format!("{} is missing", path.display()));
            } else if !path.is_file() {
                // To open a pipe would take for ever, and Ctrl-C would not end it.
                amiss.push(format!("{} is no file", path.display()));
            }
        }
        Ok(amiss)
    }

    /// Makes sure that every file is what was written; all that is wrong at once. Where they were edited, only that they are
    /// there.
    pub(crate) async fn prove(&self, folder: &Path, edited: bool) -> anyhow::Result<()> {
        let mut amiss = self.files_amiss(folder)?;
        let there = amiss.is_empty();
        for table in self.tables.iter().filter(|_| !edited) {
            let path = folder.join(&table.file);
            if path.is_file() && sha256(&path).await? != table.sha256 {
                amiss.push(format!("{} is not as it was dumped", path.display()));
            }
        }
        if amiss.is_empty() {
            return Ok(());
        }
        let folder = shown(folder);
        let or = format!("; if files were edited on purpose: cargo xtask loaddata {folder} --edited");
        bail!(
            "the dump is not whole; nothing was loaded\n  {}\n  restore it or dump again{}",
            amiss.join("\n  "),
            if there { or.as_str() } else { "" }
        )
    }
}

async fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut file = open(path)?;
    let (mut tally, mut buffer) = (Tally::default(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).with_context(|| format!("read {}", path.display()))?;
        if read == 0 {
            return Ok(tally.sha256());
        }
        tally.add(&buffer[..read]);
        // Somebody may want us to end.
        tokio::task::yield_now().await;
    }
}

pub(crate) fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("open {}", path.display()))
}

/// Bytes as people read them.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// A path as a shell takes it for one word.
pub(crate) fn shown(path: &Path) -> String {
    crate::terminal::shell::shell_word(&path.display().to_string())
}

/// Where a folder is, whatever the current one becomes.
pub(crate) fn absolute(folder: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(folder).with_context(|| format!("find {}", folder.display()))
}
