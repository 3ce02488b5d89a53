//! Paths in commands that we print for people to paste into a shell.

use std::{os::unix::ffi::OsStrExt, path::Path};

/// Quotes a path so that a shell reads it as one word, also if it is not UTF-8.
pub(crate) fn shell_path(path: &Path) -> String {
    if let Some(text) = path.to_str() {
        // Quoting fails only for a zero byte, which no path contains.
        return shlex::try_quote(text).map_or_else(|_| text.to_owned(), |word| word.into_owned());
    }
    // The escapes of bash and zsh. In a byte of a character that is not ASCII, no quote or backslash can be mistaken.
    let escaped = path.as_os_str().as_bytes().iter().map(|byte| match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).to_string(),
        byte => format!("\\x{byte:02x}"),
    });
    format!("$'{}'", escaped.collect::<String>())
}
