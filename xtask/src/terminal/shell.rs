//! Quoting, for commands that we print for people to paste into a shell.

/// Quotes a name so that a shell reads it as one word.
pub(crate) fn shell_word(name: &str) -> String {
    // Quoting fails only for a zero byte, which no name of ours can contain.
    shlex::try_quote(name).map_or_else(|_| name.to_owned(), |word| word.into_owned())
}
