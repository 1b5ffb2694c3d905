//! Keyed digests: whether two values are equal, without what they are (pure).
//!
//! A plain digest of a file with a short password can be tried out by anyone who has it; HMAC-SHA-256 with a random key
//! cannot, without the key ([decision 0023](../../docs/decisions/0023-keyed-digests.md)).

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Secret;

/// As many as SHA-256 has.
pub const KEY_BYTES: usize = 32;
/// 128 bits: nobody finds a second value for a digest that is there, and ten thousand hosts' digests stay small.
const DIGEST_BYTES: usize = 16;

/// The key of digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestKey(Secret<[u8; KEY_BYTES]>);

/// What tells two values apart; it is worth nothing without its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Keyed(String);

impl DigestKey {
    /// Takes random bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        let mut bytes = [0; KEY_BYTES];
        if digits.len() != 2 * KEY_BYTES {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let text = std::str::from_utf8(pair).ok().filter(|text| text.chars().all(|c| c.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(text, 16).ok()?;
        }
        Some(Self::new(bytes))
    }

    /// The 64 hexadecimal digits, for the file that keeps it.
    #[must_use]
    pub fn text(&self) -> Secret<String> {
        let digit = |digit: u8| char::from_digit(u32::from(digit), 16).unwrap_or_default();
        Secret::new(self.0.expose().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
    }

    /// Names the key without telling it: two digests are compared only where these are equal.
    #[must_use]
    pub fn id(&self) -> Keyed {
        self.digest("the key itself", &[])
    }

    /// The digest of some parts; `of` says what they are, so that digests of different things are never equal.
    #[must_use]
    pub fn digest(&self, of: &str, parts: &[&[u8]]) -> Keyed {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose());
        let mut context = hmac::Context::with_key(&key);
        for part in [of.as_bytes()].iter().chain(parts) {
            // Lengths first: no two lists of parts are one text.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let tag = context.sign();
        Keyed(URL_SAFE_NO_PAD.encode(tag.as_ref().get(..DIGEST_BYTES).unwrap_or_default()))
    }
}

impl fmt::Display for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_digits_and_never_shown() {
        let text = "00ff".repeat(16);
        let key = DigestKey::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(key.text().expose(), &text);
        assert_eq!(format!("{key:?}"), "DigestKey(‹secret›)");
        for wrong in ["", "00", &"0g".repeat(32), &"+0".repeat(32), &"0".repeat(63), &"é".repeat(32)] {
            assert_eq!(DigestKey::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn equal_values_under_one_key_and_for_one_thing_have_one_digest() {
        let [one, other] = [1, 2].map(|byte| DigestKey::new([byte; KEY_BYTES]));
        assert_eq!(one.digest("a", &[b"x"]), one.digest("a", &[b"x"]));
        assert_ne!(one.digest("a", &[b"x"]), other.digest("a", &[b"x"]));
        assert_ne!(one.digest("a", &[b"x"]), one.digest("b", &[b"x"]));
        assert_ne!(one.digest("a", &[b"xy", b""]), one.digest("a", &[b"x", b"y"]));
        assert_ne!(one.digest("a", &[]), one.digest("a", &[b""]));
        assert_ne!(one.id(), other.id());
    }
}
