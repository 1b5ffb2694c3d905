//! A rendered file's text: the bytes for the host, and a form for people in which secrets are masked (pure).

use std::sync::Arc;

use bytes::Bytes;

use super::elements;
use super::escape::Escape;
use crate::secret::{Form, MARKER_END, MARKER_START, Secret, SecretRef, SecretStore};

/// A file's content, with the secrets put in for the host and masked for people. A clone is cheap.
#[derive(Debug, Clone)]
pub struct Content {
    escape: Escape,
    shown: Arc<str>,
    bytes: Secret<Bytes>,
    secrets: Arc<[SecretRef]>,
    masks: Arc<[Mask]>,
}

/// A secret in a content: what people see in its place, and its value.
#[derive(Debug)]
pub(super) struct Mask {
    /// `‹env:NAME›`, escaped as its file demands.
    pub shown: String,
    /// Not escaped.
    pub value: Secret<String>,
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
        let (mut secrets, mut masks) = (Vec::new(), Vec::new());
        let mut rest = rendered;
        while let Some((before, after)) = rest.split_once(MARKER_START) {
            let (marker, after) = after.split_once(MARKER_END).ok_or(RevealError::Damaged)?;
            let (form, reference) = Form::read(marker).ok_or(RevealError::Damaged)?;
            let value = store.get(&reference).ok_or_else(|| RevealError::Unknown(reference.clone()))?;
            let mask = Mask { shown: escape.apply(&form.shown(&reference)), value: form.of(value) };
            shown.push_str(before);
            shown.push_str(&mask.shown);
            bytes.push_str(before);
            bytes.push_str(&escape.apply(mask.value.expose()));
            if form == Form::Sha256 {
                // What the file held before may have been the secret itself.
                masks.push(Mask { shown: escape.apply(&Form::Value.shown(&reference)), value: value.clone() });
            }
            secrets.push(reference);
            masks.push(mask);
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
        Ok(Self {
            escape,
            shown: shown.into(),
            bytes: Secret::new(Bytes::from(bytes)),
            secrets: secrets.into(),
            masks: masks.into(),
        })
    }

    /// A content without secrets.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self {
            escape: Escape::Plain,
            shown: text.as_str().into(),
            bytes: Secret::new(Bytes::from(text)),
            secrets: Arc::default(),
            masks: Arc::default(),
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

    /// Which secrets it holds, in the order of the text.
    #[must_use]
    pub fn secrets(&self) -> &[SecretRef] {
        &self.secrets
    }

    /// Each secret that it holds with its value, in the order of the text.
    pub fn values(&self) -> impl Iterator<Item = (&SecretRef, &Secret<String>)> {
        self.secrets.iter().zip(self.masks.iter().map(|mask| &mask.value))
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
