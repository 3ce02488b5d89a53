//! Words of commands that we print to be pasted into a shell.

/// Quotes a name so that a shell reads it as one word.
pub(crate) fn shell_word(name: &str) -> String {
    // No name that reaches us holds a zero byte, which no shell could be given.
    shlex::try_quote(name).map_or_else(|_| name.to_owned(), |word| word.into_owned())
}
