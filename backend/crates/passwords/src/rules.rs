//! The rules that refuse a password: Django's four, and a maximum length that no person types.

use std::fmt;

/// Passwords that attackers try first and that no other rule refuses: 8 characters or more, and not only digits.
const COMMON: &str = include_str!("common.txt");

/// In characters.
const SHORTEST: usize = 8;
const LONGEST: usize = 1024;

/// Refused from this similarity to an address or a name.
const TOO_SIMILAR: f64 = 0.7;

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Fewer than 8 characters.
    TooShort,
    /// More than 1024 characters.
    TooLong,
    /// Among those that attackers try first.
    TooCommon,
    /// Only digits.
    AllDigits,
    /// Too similar to the address or the name of its account.
    LikeTheUser,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Weakness::TooShort => "is shorter than 8 characters",
            Weakness::TooLong => "is longer than 1024 characters",
            Weakness::TooCommon => "is too common",
            Weakness::AllDigits => "is only digits",
            Weakness::LikeTheUser => "is too similar to the address or the name",
        })
    }
}

/// Every reason to refuse a password for a person with these names. Empty if it is good enough.
pub fn weaknesses(password: &str, names: &[&str]) -> Vec<Weakness> {
    let lower = password.trim().to_lowercase();
    let length = password.chars().count();
    let rules = [
        (Weakness::TooShort, length < SHORTEST),
        (Weakness::TooLong, length > LONGEST),
        (Weakness::TooCommon, COMMON.lines().any(|common| common == lower)),
        (Weakness::AllDigits, !password.is_empty() && password.chars().all(char::is_numeric)),
        (Weakness::LikeTheUser, length <= LONGEST && names.iter().any(|name| is_similar(&lower, name))),
    ];
    rules.into_iter().filter(|(_, broken)| *broken).map(|(weakness, _)| weakness).collect()
}

/// Whether it is too similar to a name or to one of the name's words.
fn is_similar(password: &str, name: &str) -> bool {
    let name = name.to_lowercase();
    let words = name.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mut parts = words.chain([name.as_str()]).filter(|part| !part.is_empty());
    parts.any(|part| similarity(password, part) >= TOO_SIMILAR)
}

/// The share of characters that both have, in any order, from 0 to 1.
fn similarity(a: &str, b: &str) -> f64 {
    let mut others: Vec<char> = b.chars().collect();
    let total = a.chars().count() + others.len();
    let mut shared = 0_u32;
    for c in a.chars() {
        if let Some(at) = others.iter().position(|other| *other == c) {
            others.swap_remove(at);
            shared += 1;
        }
    }
    // Both are short, so the floats are exact.
    2.0 * f64::from(shared) / u32::try_from(total).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(password: &str, expected: &[Weakness]) {
        assert_eq!(weaknesses(password, &["ada.lovelace@example.org", "Countess_7"]), expected, "{password}");
    }

    #[test]
    fn a_good_password_has_no_weakness() {
        check("correct horse battery staple", &[]);
        check("Ünï-çødé-8", &[]);
        // Eight characters of more bytes, and seven of more than eight bytes.
        check("éééééééx", &[]);
        check("ééééééx", &[Weakness::TooShort]);
    }

    #[test]
    fn an_easy_password_is_refused() {
        check("", &[Weakness::TooShort]);
        check("q7#kP!z", &[Weakness::TooShort]);
        check("83746529", &[Weakness::AllDigits]);
        check("٣٤٥٦٧٨٩١", &[Weakness::AllDigits]);
        check("password1", &[Weakness::TooCommon]);
        check(" PassWord1 ", &[Weakness::TooCommon]);
        check("1234", &[Weakness::TooShort, Weakness::AllDigits]);
        check(&"x".repeat(1025), &[Weakness::TooLong]);
    }

    #[test]
    fn a_password_like_the_name_is_refused() {
        for password in
            ["lovelace1", "LoveLace", "ecalevol", "ada.lovelace", "countess7", "ada.lovelace@example.org"]
        {
            check(password, &[Weakness::LikeTheUser]);
        }
    }

    #[test]
    fn the_list_has_only_passwords_that_no_other_rule_refuses() {
        for common in COMMON.lines() {
            assert_eq!(weaknesses(common, &[]), [Weakness::TooCommon], "{common}");
            assert_eq!(common, common.to_lowercase());
        }
        assert!(COMMON.lines().count() > 100 && COMMON.lines().is_sorted());
    }
}
