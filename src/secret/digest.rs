//! A secret's digest in the place of the secret: its marker, and what is put in for it (pure).

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::{MARKER_END, MARKER_START, Secret, SecretRef};

/// Starts the inside of a digest's marker; no reference starts so.
const SHA256: &str = "sha256:";

/// What is put in for a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The secret itself.
    Value,
    /// Its SHA-256 in hexadecimal.
    Sha256,
}

impl Form {
    /// Reads what stands between the two characters of a marker.
    #[must_use]
    pub fn read(inside: &str) -> Option<(Self, SecretRef)> {
        match inside.strip_prefix(SHA256) {
            Some(inside) => Some((Self::Sha256, SecretRef::from_marker(inside)?)),
            None => Some((Self::Value, SecretRef::from_marker(inside)?)),
        }
    }

    /// What the file gets.
    #[must_use]
    pub fn of(self, value: &Secret<String>) -> Secret<String> {
        match self {
            Self::Value => value.clone(),
            Self::Sha256 => Secret::new(sha256_hex(value.expose().as_bytes())),
        }
    }

    /// What people see.
    #[must_use]
    pub fn shown(self, reference: &SecretRef) -> String {
        match self {
            Self::Value => format!("‹{reference}›"),
            Self::Sha256 => format!("‹sha256 of {reference}›"),
        }
    }
}

/// The marker of a secret's digest; nothing where the text is not one secret's marker and nothing else.
#[must_use]
pub fn digest_marker(text: &str) -> Option<String> {
    let inside = text.strip_prefix(MARKER_START)?.strip_suffix(MARKER_END)?;
    let is_one = !inside.contains([MARKER_START, MARKER_END]);
    (is_one && SecretRef::from_marker(inside).is_some()).then(|| format!("{MARKER_START}{SHA256}{inside}{MARKER_END}"))
}

/// SHA-256 in hexadecimal, as ClickHouse's `password_sha256_hex` has it.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_stands_for_one_whole_secret() {
        let reference = SecretRef::parse("env:PASSWORD").unwrap();
        let marker = digest_marker(&reference.marker()).unwrap();
        let inside = marker.strip_prefix(MARKER_START).and_then(|rest| rest.strip_suffix(MARKER_END)).unwrap();
        let (form, read) = Form::read(inside).unwrap();
        assert_eq!((form, &read), (Form::Sha256, &reference));
        assert_eq!(form.shown(&read), "‹sha256 of env:PASSWORD›");
        // echo -n abc | sha256sum
        let digest = form.of(&Secret::new("abc".to_owned()));
        assert_eq!(digest.expose(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        for text in ["plain", &format!("a{}", reference.marker()), &reference.marker().repeat(2), &marker] {
            assert_eq!(digest_marker(text), None, "{text}");
        }
    }
}
