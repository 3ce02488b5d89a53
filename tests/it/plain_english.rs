//! Plain English: what prose, comments, messages and names do not use.
//!
//! Write as you would say it at a desk: short verbs (show, list, report, fail, skip, reuse, remove, wait), an agent in every
//! sentence, articles in place. A thing does not want, know or tell.

use crate::tidy::files;

/// Phrases that no text of the project holds, in any case of letters, each with a better one.
const PHRASES: &[(&str, &str)] = &[
    ("tell", "show, say, report, list"),
    ("tells", "shows, says, reports, lists"),
    ("telling", "showing, saying"),
    ("told", "shown, said, reported"),
    ("anew", "again, a new …"),
    ("whoever", "the caller, the user, a command that …"),
    ("nobody", "no user, no session, no process, no owner"),
    ("somebody", "a user, another session, another command"),
    ("that of", "repeat the noun"),
    ("those of", "repeat the noun"),
    ("as it is", "unchanged, in its state"),
    ("as they are", "unchanged"),
    ("stand down", "disable"),
    ("stands down", "is disabled"),
    ("stood down", "was disabled"),
    ("to be had", "available"),
    ("be it", "whether … or …"),
    ("what stands", "what is"),
    ("of its own accord", "by itself"),
    ("in vain", "without success"),
    ("is asked", "say who asks what, or check"),
    ("are asked", "say who asks what, or check"),
];

/// Names that no function has, since they don't say of what.
const NAMES: &[&str] = &[
    "asked",
    "awaited",
    "elsewhere",
    "find",
    "given",
    "gone",
    "held",
    "kept",
    "known",
    "left",
    "made",
    "named",
    "of",
    "ours",
    "taken",
    "tell",
    "tells",
    "told",
];

/// Where a phrase is right after all: a part of the path, the phrase, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("tests/it/plain_english.rs", "", "it holds the list"),
    ("migrations/users/0001_initial", "", "databases have recorded its checksum"),
    ("migrations/users/schema.sql", "tells", "a comment in databases that a migration set"),
    ("migrations/users/schema.sql", "nobody", "a comment in databases that a migration set"),
    ("migrations/organizations/schema.sql", "nobody", "a comment in databases that a migration set"),
    ("migrations/organizations/0002_add_owner_field", "", "databases have recorded its checksum"),
    ("Cargo.lock", "", "cargo writes it"),
];

/// Parts of a line that are names of other people's things, not words of ours.
const QUOTED: &[&str] = &["`nobody`", "\"nobody\"", "nobody@"];

const ENDINGS: &[&str] = &[".rs", ".md", ".sql", ".toml", ".sh", "Dockerfile", "/run", "/build", "/backend"];

fn is_excepted(path: &str, phrase: &str) -> bool {
    EXCEPTIONS.iter().any(|(part, word, _)| path.contains(part) && (word.is_empty() || *word == phrase))
}

/// Whether a text holds a phrase that no letter, digit or underscore touches.
fn holds(text: &str, phrase: &str) -> bool {
    let touches = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(phrase).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + phrase.len()..]);
        !touches(before.chars().next_back()) && !touches(after.chars().next())
    })
}

/// The phrases of a line, each with what to write.
fn phrases(path: &str, line: &str) -> Vec<String> {
    let line = QUOTED.iter().fold(line.to_lowercase(), |line, quoted| line.replace(quoted, ""));
    let found = PHRASES.iter().filter(|(phrase, _)| holds(&line, phrase) && !is_excepted(path, phrase));
    found.map(|(phrase, better)| format!("`{phrase}`: {better}")).collect()
}

/// The phrases that begin in one line of a comment or a text and end in the next.
fn across(path: &str, line: &str, next: &str) -> Vec<String> {
    let next = next.trim_start().trim_start_matches(['/', '!', '-', '#']).trim_start();
    let alone = [phrases(path, line), phrases(path, next)].concat();
    let together = phrases(path, &format!("{} {next}", line.trim_end()));
    together.into_iter().filter(|words| !alone.contains(words)).collect()
}

/// The name of a function that says too little.
fn name(line: &str) -> Option<&'static str> {
    let declared = line.split_once("fn ")?.1;
    let name = declared.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    NAMES.iter().copied().find(|other| *other == name)
}

#[test]
fn prose_is_plain() {
    let mut found = Vec::new();
    for (path, text) in files("", ENDINGS) {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().copied().enumerate() {
            let where_to = format!("{path}:{}", number + 1);
            let next = lines.get(number + 1).copied().unwrap_or_default();
            let both = [phrases(&path, line), across(&path, line, next)].concat();
            found.extend(both.into_iter().map(|words| format!("{where_to}: {words}")));
            if path.ends_with(".rs") && !is_excepted(&path, "") {
                found.extend(name(line).map(|name| format!("{where_to}: a function named `{name}`")));
            }
        }
    }
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

#[test]
fn what_is_not_plain_is_found() {
    assert_eq!(phrases("a.md", "It is TOLD anew.").len(), 2);
    assert_eq!(phrases("a.md", "/// What that of `nobody` retells, untold."), ["`that of`: repeat the noun"]);
    assert_eq!(across("a.rs", "    /// It is as", "    /// it is."), ["`as it is`: unchanged, in its state"]);
    assert_eq!(phrases("Cargo.lock", "told"), [""; 0]);
    assert_eq!(name("    pub(crate) async fn find(self) {"), Some("find"));
    assert_eq!(name("fn find_psql() {"), None);
    assert!(EXCEPTIONS.iter().all(|(_, _, reason)| !reason.is_empty()));
}
