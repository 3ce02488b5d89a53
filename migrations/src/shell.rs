//! Words in the commands of messages.

use std::borrow::Cow;

/// A word for a command line that people paste into a shell: in quotes if the shell would read it otherwise.
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+.,:/@%=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn only_what_a_shell_would_read_otherwise_is_quoted() {
        assert_eq!(shell_word("migrations/a/0001_x.up.sql"), "migrations/a/0001_x.up.sql");
        assert_eq!(shell_word("1_x [old]"), "'1_x [old]'");
        assert_eq!(shell_word("1_it's"), r"'1_it'\''s'");
    }
}
