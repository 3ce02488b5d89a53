//! Secrets that are handed out once and found by their hash.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// 256 random bits, shown in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    pub(crate) fn random() -> Token {
        Token(rand::random())
    }

    /// The value to store. It needs no salt and no slow hash, because 256 random bits can't be guessed.
    pub(crate) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }

    /// The text to hand out.
    pub fn reveal(&self) -> String {
        hex::encode(self.0)
    }
}

/// Hides the token, so that a log does not reveal it.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = Error;

    /// Accepts only what [`Token::reveal`] returns, so a token has one form: capital digits are refused.
    fn from_str(text: &str) -> Result<Token> {
        let mut bytes = [0; 32];
        if text.contains(char::is_uppercase) {
            return Err(Error::NoSuchSession);
        }
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Error::NoSuchSession)?;
        Ok(Token(bytes))
    }
}
