//! Which passwords are good enough, and how they are hashed.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> passwords::Result<()> {
//! let password = "an engine of 4 wheels";
//! passwords::require_strong(password, &["ada@example.org"])?;
//! let hash = passwords::hash(password, passwords::COST).await?;
//! assert!(passwords::verify(password, Some(&hash)).await?);
//! # Ok(())
//! # }
//! ```

mod rules;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::{PasswordHash, Salt},
};
pub use rules::{Weakness, weaknesses};
use thiserror::Error;
use tokio::task::spawn_blocking;

/// A result of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a password was not accepted or not hashed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The password is easy to guess.
    #[error("the password {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and "))]
    Weak(Vec<Weakness>),
    /// The password could not be hashed, or the stored hash could not be read.
    #[error("the password could not be hashed")]
    Hash,
}

/// What a guess costs. More memory slows down attacks with graphics cards most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// How many threads can work on it at once.
    pub lanes: u32,
}

/// The cost for new passwords, and for old ones when they are next entered. OWASP's first choice for Argon2id: 19 MiB, two
/// passes.
pub const COST: Cost = Cost { memory: 19 * 1024, passes: 2, lanes: 1 };

/// A hash that no password has, for accounts that do not exist or have no password: refusing them must take as long.
const UNMATCHABLE: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Refuses an easy password for a person with these names.
///
/// # Errors
/// [`Error::Weak`] with every reason.
pub fn require_strong(password: &str, names: &[&str]) -> Result<()> {
    let weaknesses = weaknesses(password, names);
    if weaknesses.is_empty() { Ok(()) } else { Err(Error::Weak(weaknesses)) }
}

/// Hashes a password, as a PHC string.
///
/// # Errors
/// [`Error::Hash`] if Argon2 does not accept the cost.
pub async fn hash(password: &str, cost: Cost) -> Result<String> {
    let password = password.to_owned();
    // The computation takes tens of milliseconds, and would block everything else on this thread.
    let hashed = spawn_blocking(move || {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, None)?;
        let salt: [u8; Salt::RECOMMENDED_LENGTH] = rand::random();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_with_salt(password.as_bytes(), &salt).map(|hash: PasswordHash| hash.to_string())
    });
    hashed.await.map_err(|_| Error::Hash)?.map_err(|_| Error::Hash)
}

/// Whether a password matches a hash. Without a hash it does not, and the answer takes as long.
///
/// # Errors
/// [`Error::Hash`] if the hash is not a PHC string of Argon2.
pub async fn verify(password: &str, hash: Option<&str>) -> Result<bool> {
    let (password, hash) = (password.to_owned(), hash.unwrap_or(UNMATCHABLE).to_owned());
    let verified = spawn_blocking(move || {
        let hash = PasswordHash::new(&hash).map_err(|_| Error::Hash)?;
        // Uses the parameters in the hash.
        match Argon2::default().verify_password(password.as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(_) => Err(Error::Hash),
        }
    });
    verified.await.map_err(|_| Error::Hash)?
}

/// Whether guessing the password of a hash costs less than [`COST`].
pub fn is_cheap(hash: &str) -> bool {
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
    fn refusing_an_unknown_account_costs_as_much() {
        let params = Params::try_from(&PasswordHash::new(UNMATCHABLE).unwrap()).unwrap();
        let cost = Cost { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
        assert_eq!(cost, COST);
    }

    #[test]
    fn only_a_cheaper_hash_is_cheap() {
        let with = |text: &str| is_cheap(&UNMATCHABLE.replace("m=19456,t=2,p=1", text));
        assert!(with("m=19455,t=2,p=1") && with("m=19456,t=1,p=1"));
        assert!(!with("m=19456,t=2,p=1") && !with("m=102400,t=2,p=8"));
        assert!(is_cheap(&UNMATCHABLE.replace("argon2id", "argon2i")));
    }
}
