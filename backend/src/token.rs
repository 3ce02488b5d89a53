//! Secrets that are handed out once and looked up by their hash.

use std::{
    fmt::{self, Write},
    str::FromStr,
};

use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// 256 random bits, in hexadecimal where people or programs see them.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    pub(crate) fn random() -> Token {
        Token(rand::random())
    }

    /// What is stored. No salt and no slow hash: nobody guesses 256 random bits.
    pub(crate) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }

    /// As it is handed out.
    pub fn reveal(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// A token in a log opens nothing.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = Error;

    /// Exactly as [`Token::reveal`] writes it: one token has one form.
    fn from_str(text: &str) -> Result<Token> {
        let mut bytes = [0; 32];
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(Error::NoSuchSession);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| Error::NoSuchSession)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| Error::NoSuchSession)?;
        }
        Ok(Token(bytes))
    }
}
