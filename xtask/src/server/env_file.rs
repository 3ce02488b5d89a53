//! The checkout's `.env`: one variable of it, as sqlx reads it, except that nothing is left out or replaced silently.

use std::{
    collections::HashSet,
    env, fs, io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

use anyhow::{Context, bail};
use dotenvy::Error;

/// Stands for a `$` that might start a variable. A character of no script, so that no file has it.
const MARK: char = '\u{10fffd}';

/// The value of a variable in a file; `None` if there is no file, or it does not set the variable.
pub(super) fn variable(file: &Path, name: &str) -> anyhow::Result<Option<String>> {
    let Some(text) = text(file)? else { return Ok(None) };
    let Found { value: Some(value), .. } = look_up(file, &text, name)? else { return Ok(None) };
    let Found { value: marked, before } = look_up(file, &mark_dollars(&text), name)?;
    let marked = marked.unwrap_or_default();
    if marked.replace(MARK, "$") == value {
        return Ok(Some(value));
    }
    let place = format!("{}:{}", file.display(), line_that_sets(&text, name));
    let Some(variables) = marked.split(MARK).skip(1).map(in_braces).collect::<Option<Vec<_>>>() else {
        bail!(
            "{place}: the value of {name} has a `$`, which starts the name of a variable\n  if the `$` itself is meant, write \
             the value in single quotes: {name}='…'\n  if a variable is meant, write it as ${{NAME}}"
        )
    };
    if variables.iter().any(|it| !before.contains(*it) && env::var_os(it).is_none()) {
        bail!(
            "{place}: the value of {name} has a variable that is not set\n  set it in a line above, or in the environment\n  \
             if the `$` itself is meant, write the value in single quotes: {name}='…'"
        )
    }
    Ok(Some(value))
}

/// The name at the start of a text, in braces.
fn in_braces(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.split_once('}').map(|(name, _)| name)
}

/// What a file says of a variable.
struct Found {
    value: Option<String>,
    /// The variables that it sets above.
    before: HashSet<String>,
}

fn look_up(file: &Path, text: &str, wanted: &str) -> anyhow::Result<Found> {
    let mut before = HashSet::new();
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        match line {
            Ok((name, value)) if name == wanted && !value.is_empty() => {
                return Ok(Found { value: Some(value), before });
            }
            Ok((name, _)) => drop(before.insert(name)),
            // Without its text, which may contain a secret.
            Err(Error::LineParse(line, _)) => bail!(
                "{}:{}: this line is not NAME=value, or a quote in it is not closed\n  correct it, or set {wanted} in the \
                 environment",
                file.display(),
                number_of(text, line.lines().next().unwrap_or_default())
            ),
            Err(error) => return Err(error).with_context(|| format!("read {}", file.display())),
        }
    }
    Ok(Found { value: None, before })
}

/// The number of the first line with a text in it.
fn number_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap_or(0) + 1
}

fn line_that_sets(text: &str, name: &str) -> usize {
    let sets = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("export").map_or(line, str::trim_start);
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    text.lines().position(sets).unwrap_or(0) + 1
}

/// The same text with a mark in place of every `$` that no backslash escapes.
fn mark_dollars(text: &str) -> String {
    let mut escaped = false;
    let marked = text.chars().map(|c| {
        let plain = !escaped;
        escaped = plain && c == '\\';
        if c == '$' && plain { MARK } else { c }
    });
    marked.collect()
}

/// The text of a file; `None` if there is none.
fn text(file: &Path) -> anyhow::Result<Option<String>> {
    let shown = file.display();
    let about = match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        about => about.with_context(|| format!("read {shown}"))?,
    };
    let instead = "put the file in its place, or set DATABASE_URL in the environment";
    let kind = about.file_type();
    if kind.is_dir() {
        bail!("{shown} is a folder, and a file is expected there\n  {instead}");
    }
    if kind.is_fifo() {
        bail!(
            "{shown} is a named pipe, whose reader may wait for ever; a file is expected there\n  {instead}"
        );
    }
    // What hides a file from a container.
    let is_null =
        fs::metadata("/dev/null").is_ok_and(|null| kind.is_char_device() && null.rdev() == about.rdev());
    if !kind.is_file() && !is_null {
        bail!("{shown} is a device or a socket, and a file is expected there\n  {instead}");
    }
    let bytes = fs::read(file).with_context(|| format!("read {shown}"))?;
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bail!(
            "{shown}:1: the file begins with a byte order mark, which a shell takes for a part of the first name\n  save it \
             as UTF-8 without one"
        );
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        bail!("{shown}:1: the file seems to be UTF-16\n  save it as UTF-8");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            bail!("{shown}:{line}: this line is not UTF-8\n  save the file as UTF-8")
        }
    }
}
