//! Which hosts a known_hosts line speaks of (pure).
//!
//! A name is `host` for port 22 and `[host]:port` for any other. A negated pattern that fits takes the whole line away.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The second field of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patterns {
    /// Names with `*` and `?`, some of them negated by `!`.
    Plain(Vec<String>),
    /// `|1|salt|HMAC-SHA1 of the name`.
    Hashed {
        /// The key of the HMAC.
        salt: Vec<u8>,
        /// The HMAC.
        hash: Vec<u8>,
    },
}

impl Patterns {
    /// Reads the field; nothing where it is damaged.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("|1|") {
            let (salt, hash) = rest.split_once('|')?;
            return Some(Self::Hashed { salt: STANDARD.decode(salt).ok()?, hash: STANDARD.decode(hash).ok()? });
        }
        (!text.starts_with('|')).then(|| Self::Plain(text.split(',').map(str::to_ascii_lowercase).collect()))
    }

    /// Tells whether the line speaks of a name (in lower case).
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        match self {
            Self::Plain(patterns) => {
                let fits = |pattern: &str| glob(pattern.as_bytes(), name.as_bytes());
                !patterns.iter().any(|pattern| pattern.strip_prefix('!').is_some_and(fits))
                    && patterns.iter().any(|pattern| !pattern.starts_with('!') && fits(pattern))
            }
            Self::Hashed { salt, hash } => Hmac::<Sha1>::new_from_slice(salt).is_ok_and(|mut mac| {
                mac.update(name.as_bytes());
                mac.verify_slice(hash).is_ok()
            }),
        }
    }
}

/// Tells whether a text fits a pattern of `*` (any text) and `?` (any character); every other character is itself.
#[must_use]
pub fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last star stands, and up to where it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || text.get(from) == Some(byte) => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((position, eaten)) = star else { return false };
                star = Some((position, eaten + 1));
                (at, from) = (position + 1, eaten + 1);
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}
