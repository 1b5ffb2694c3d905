//! A text without its secrets, from which the text can be had again where the secrets are known (pure).
//!
//! Hides whatever [`mask`](super::mask) would hide, and the values of all secrets that the fleet knows.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Content;
use super::elements::{secret_texts, texts};
use super::escape::Escape;
use super::mask::{ANOTHER, forms, lines_with_secrets};
use crate::secret::Secret;
use crate::secret::keyed::{DigestKey, Keyed};
use crate::secret::look::written_secret;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    /// As it was.
    Text(String),
    /// A digest in a secret's place.
    Secret(Keyed),
}

/// Values that may stand in a secret's place, by their digests.
pub type Candidates = BTreeMap<Keyed, Secret<String>>;

/// What is a secret in a text that was found where `desired` should be, or where nothing of ours should be.
#[must_use]
pub fn secrets_in(text: &str, desired: Option<&Content>, known: &[Secret<String>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for value in known {
        for form in forms(value.expose()).iter().filter(|form| !form.is_empty()) {
            found.extend(text.match_indices(form.as_str()).map(|(at, form)| at..at + form.len()));
        }
    }
    found.extend(secret_texts(text).into_iter().map(|found| found.range));
    let is_xml = desired.map_or_else(|| text.trim_start().starts_with('<'), |desired| desired.escape() == Escape::Xml);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        found.extend(written_secret(body).filter(|_| !is_xml).map(|start| at + start..at + body.len()));
        at += line.len();
    }
    if let Some(desired) = desired {
        found.extend(lines_with_secrets(text, desired));
    }
    found.retain(|range| !range.is_empty());
    joined(found)
}

/// The same places, in order, none in another.
#[must_use]
pub fn joined(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in found {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Puts digests in the places of secrets.
#[must_use]
pub fn redact(text: &str, secrets: &[Range<usize>], key: &DigestKey) -> Vec<Piece> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    for range in secrets {
        if let Some(before) = text.get(at..range.start).filter(|before| !before.is_empty()) {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Secret(digest(text.get(range.clone()).unwrap_or_default(), key)));
        at = range.end;
    }
    if let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    pieces
}

/// The text again; a secret that is none of the candidates is another value.
#[must_use]
pub fn restore(pieces: &[Piece], candidates: &Candidates) -> String {
    let mut restored = String::new();
    for piece in pieces {
        restored.push_str(match piece {
            Piece::Text(text) => text,
            Piece::Secret(digest) => candidates.get(digest).map_or(ANOTHER, |value| value.expose()),
        });
    }
    restored
}

/// Adds the forms in which a known secret can stand.
pub fn know(candidates: &mut Candidates, value: &Secret<String>, key: &DigestKey) {
    for form in forms(value.expose()) {
        candidates.insert(digest(&form, key), Secret::new(form));
    }
}

/// Adds what a desired text has in the places of secrets, and the texts of its elements: a macro may be one of them.
pub fn know_content(candidates: &mut Candidates, desired: &Content, known: &[Secret<String>], key: &DigestKey) {
    let Ok(text) = std::str::from_utf8(desired.bytes().expose()) else { return };
    let elements = texts(text).into_iter().map(|found| found.range);
    for range in secrets_in(text, Some(desired), known).into_iter().chain(elements) {
        let value = text.get(range).unwrap_or_default();
        for value in [value, value.trim()] {
            candidates.insert(digest(value, key), Secret::new(value.to_owned()));
        }
    }
}

/// The digest that stands for a secret.
#[must_use]
pub fn digest(value: &str, key: &DigestKey) -> Keyed {
    key.digest("a piece of a text", &[value.as_bytes()])
}
