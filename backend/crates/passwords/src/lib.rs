//! Passwords: which are good enough, and how they are kept.

mod rules;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::{PasswordHash, Salt},
};
pub use rules::{Weakness, weaknesses};
use tokio::task::spawn_blocking;

use crate::{Error, Result};

/// What a guess costs. More memory hurts whoever guesses with graphics cards most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Threads that could work on it at once.
    pub lanes: u32,
}

/// What new passwords get, and old ones when they are next entered. OWASP's first choice for Argon2id: 19 MiB, two passes.
pub const COST: Cost = Cost { memory: 19 * 1024, passes: 2, lanes: 1 };

/// A hash that no password has, for accounts that do not exist or have none: refusing them must take as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Refuses a password that is guessed soon, of somebody with these names.
///
/// # Errors
/// [`Error::PasswordWeak`].
pub fn require_strong(password: &str, names: &[&str]) -> Result<()> {
    let weaknesses = weaknesses(password, names);
    if weaknesses.is_empty() { Ok(()) } else { Err(Error::PasswordWeak(weaknesses)) }
}

/// Hashes a password, as a PHC string.
///
/// # Errors
/// [`Error::Hash`] where the cost is none that Argon2 knows.
pub async fn hash(password: &str, cost: Cost) -> Result<String> {
    let password = password.to_owned();
    // Tens of milliseconds of computing would hold up everything else on this thread.
    let hashed = spawn_blocking(move || {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, None)?;
        let salt: [u8; Salt::RECOMMENDED_LENGTH] = rand::random();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_with_salt(password.as_bytes(), &salt).map(|hash: PasswordHash| hash.to_string())
    });
    hashed.await.map_err(|_| Error::Hash)?.map_err(|_| Error::Hash)
}

/// Whether it is the password of a hash; of none, it never is, after as much work.
pub(crate) async fn verify(password: &str, hash: Option<&str>) -> Result<bool> {
    let (password, hash) = (password.to_owned(), hash.unwrap_or(NOBODY).to_owned());
    let verified = spawn_blocking(move || {
        let hash = PasswordHash::new(&hash).map_err(|_| Error::Hash)?;
        // The parameters are those of the hash.
        match Argon2::default().verify_password(password.as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(_) => Err(Error::Hash),
        }
    });
    verified.await.map_err(|_| Error::Hash)?
}

/// Whether a hash was made for less than a guess should cost now.
pub(crate) fn is_cheap(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return true };
    let Ok(params) = Params::try_from(&hash) else { return true };
    hash.algorithm != Algorithm::Argon2id.ident()
        || params.m_cost() < COST.memory
        || params.t_cost() < COST.passes
        || params.p_cost() < COST.lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusing_nobody_costs_what_refusing_somebody_does() {
        let params = Params::try_from(&PasswordHash::new(NOBODY).unwrap()).unwrap();
        let cost = Cost { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
        assert_eq!(cost, COST);
    }

    #[test]
    fn only_what_costs_less_is_hashed_anew() {
        let of = |text: &str| is_cheap(&NOBODY.replace("m=19456,t=2,p=1", text));
        assert!(of("m=19455,t=2,p=1") && of("m=19456,t=1,p=1"));
        assert!(!of("m=19456,t=2,p=1") && !of("m=102400,t=2,p=8"));
        assert!(is_cheap(&NOBODY.replace("argon2id", "argon2i")));
    }
}
