//! A rendered file's text: the bytes for the host, and a form for people in which secrets are masked (pure).

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::escape::Escape;
use super::{elements, generation};
use crate::secret::{Form, MARKER_END, MARKER_START, Secret, SecretRef, SecretStore};

/// A file's content, with the secrets put in for the host and masked for people. A clone is cheap.
#[derive(Debug, Clone)]
pub struct Content {
    escape: Escape,
    shown: Arc<str>,
    bytes: Secret<Bytes>,
    digest: Secret<[u8; 32]>,
    shown_digest: [u8; 32],
    masks: Arc<[Mask]>,
    /// Whether the places of the generation are still empty.
    awaits_generation: bool,
    /// What was put into them.
    generation: Option<Arc<str>>,
}

/// A secret in a content: what people see in its place, and its value.
#[derive(Debug)]
pub(super) struct Mask {
    /// Which one.
    reference: SecretRef,
    /// `‹env:NAME›`, escaped as its file demands.
    pub shown: String,
    /// Not escaped.
    pub value: Secret<String>,
}

impl Mask {
    /// Which secret it is, by its reference.
    pub(super) fn name(&self) -> String {
        self.reference.to_string()
    }
}

/// Why a rendered text has no content.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum RevealError {
    /// The store does not hold it.
    #[error("secret `{0}` was not read")]
    Unknown(SecretRef),
    /// A filter cut or changed the marker: the secret would be lost without a word.
    #[error("a secret's marker is damaged: filters cannot look into a secret")]
    Damaged,
}

impl Content {
    /// Puts the secrets' values in the places of their markers.
    ///
    /// # Errors
    /// Names the first secret that the store does not hold, and refuses a marker that is not whole.
    pub(super) fn reveal(rendered: &str, store: &SecretStore, escape: Escape) -> Result<Self, RevealError> {
        let (mut shown, mut bytes) = (String::new(), String::new());
        let mut masks = Vec::new();
        let mut rest = rendered;
        while let Some((before, after)) = rest.split_once(MARKER_START) {
            let (marker, after) = after.split_once(MARKER_END).ok_or(RevealError::Damaged)?;
            let (form, reference) = Form::read(marker).ok_or(RevealError::Damaged)?;
            let value = store.get(&reference).ok_or_else(|| RevealError::Unknown(reference.clone()))?;
            let mask = |form: Form| Mask {
                reference: reference.clone(),
                shown: escape.apply(&form.shown(&reference)),
                value: form.of(value),
            };
            let written = mask(form);
            shown.push_str(before);
            shown.push_str(&written.shown);
            bytes.push_str(before);
            bytes.push_str(&escape.apply(written.value.expose()));
            if form == Form::Sha256 {
                // What the file held before may have been the secret itself.
                masks.push(mask(Form::Value));
            }
            masks.push(written);
            rest = after;
        }
        if rest.contains(MARKER_END) {
            return Err(RevealError::Damaged);
        }
        shown.push_str(rest);
        bytes.push_str(rest);
        shown = elements::hide(&shown);
        if escape != Escape::Xml {
            shown = elements::hide_lines(&shown);
        }
        let digest = Sha256::digest(&bytes).into();
        let shown_digest = if shown == bytes { digest } else { Sha256::digest(&shown).into() };
        Ok(Self {
            escape,
            awaits_generation: shown.contains(generation::MARKER),
            shown: shown.into(),
            digest: Secret::new(digest),
            shown_digest,
            bytes: Secret::new(Bytes::from(bytes)),
            masks: masks.into(),
            generation: None,
        })
    }

    /// A content without secrets.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self {
            escape: Escape::Plain,
            shown: text.as_str().into(),
            digest: Secret::new(Sha256::digest(&text).into()),
            shown_digest: Sha256::digest(&text).into(),
            bytes: Secret::new(Bytes::from(text)),
            masks: Arc::default(),
            awaits_generation: false,
            generation: None,
        }
    }

    /// For people: secrets are `‹env:NAME›`, and other texts that look like secrets are `‹hidden›`.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// For the host.
    #[must_use]
    pub fn bytes(&self) -> &Secret<Bytes> {
        &self.bytes
    }

    /// Whether a text holds the value of one of its secrets.
    #[must_use]
    pub fn holds_secret_in(&self, text: &str) -> bool {
        let values = self.masks.iter().map(|mask| mask.value.expose().trim());
        values.filter(|value| !value.is_empty()).any(|value| text.contains(value))
    }

    /// SHA-256 of the bytes; for the host too, as it could tell a short secret.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.expose()
    }

    /// Whether it holds a secret.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        !self.masks.is_empty()
    }

    /// Each secret that it holds with its value, in the order of the text; one that is written as its digest comes twice,
    /// first with the value itself.
    pub fn values(&self) -> impl Iterator<Item = (&SecretRef, &Secret<String>)> {
        self.masks.iter().map(|mask| (&mask.reference, &mask.value))
    }

    /// Whether it has a place for the host's generation that is still empty.
    pub(super) fn awaits_generation(&self) -> bool {
        self.awaits_generation
    }

    /// SHA-256 of what people see.
    pub(super) fn shown_digest(&self) -> [u8; 32] {
        self.shown_digest
    }

    /// The same with the host's generation.
    pub(super) fn with_generation(&self, generation: &str) -> Self {
        let text = String::from_utf8_lossy(self.bytes.expose()).replace(generation::MARKER, generation);
        Self {
            shown: self.shown.replace(generation::MARKER, generation).into(),
            digest: Secret::new(Sha256::digest(&text).into()),
            bytes: Secret::new(Bytes::from(text)),
            generation: Some(generation.into()),
            awaits_generation: false,
            ..self.clone()
        }
    }

    /// The generation that it tells the server.
    #[must_use]
    pub fn generation(&self) -> Option<&str> {
        self.generation.as_deref()
    }

    /// How secrets were written into it.
    pub(super) fn escape(&self) -> Escape {
        self.escape
    }

    /// The same secrets, as shown and with their values.
    pub(super) fn masks(&self) -> &[Mask] {
        &self.masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::digest_marker;

    #[test]
    fn each_secret_has_its_own_value_behind_one_that_is_written_as_its_digest() {
        let [one, other] = ["ONE", "OTHER"].map(|name| SecretRef::Env(name.to_owned()));
        let mut store = SecretStore::default();
        store.insert(one.clone(), Secret::new("first".to_owned()));
        store.insert(other.clone(), Secret::new("second".to_owned()));
        let text = format!("{} {}", digest_marker(&one.marker()).unwrap(), other.marker());
        let content = Content::reveal(&text, &store, Escape::Plain).unwrap();
        let digest = "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e";
        let values: Vec<_> = content.values().map(|(secret, value)| (secret, value.expose().as_str())).collect();
        assert_eq!(values, [(&one, "first"), (&one, digest), (&other, "second")]);
        assert!(content.has_secrets() && !Content::plain("first").has_secrets());
    }
}
