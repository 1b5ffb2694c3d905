//! A rendered file's text: the bytes for the host, and a form for people in which secrets are masked (pure).

use bytes::Bytes;

use crate::secret::{MARKER_END, MARKER_START, Secret, SecretRef, SecretStore};

/// A file's content, with the secrets put in for the host and masked for people.
#[derive(Debug, Clone)]
pub struct Content {
    shown: String,
    bytes: Secret<Bytes>,
    secrets: Vec<SecretRef>,
}

/// How a secret's text is written into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// As XML text.
    Xml,
    /// As it is.
    Plain,
}

impl Content {
    /// Puts the secrets' values in the places of their markers.
    ///
    /// # Errors
    /// Names the first secret that the store does not hold.
    pub(super) fn reveal(rendered: &str, store: &SecretStore, escape: Escape) -> Result<Self, SecretRef> {
        let (mut shown, mut bytes, mut secrets) = (String::new(), String::new(), Vec::new());
        let mut rest = rendered;
        while let Some((before, after)) = rest.split_once(MARKER_START) {
            let (marker, after) = after.split_once(MARKER_END).unwrap_or((after, ""));
            shown.push_str(before);
            bytes.push_str(before);
            if let Some(reference) = SecretRef::parse(marker) {
                let value = store.get(&reference).ok_or_else(|| reference.clone())?;
                shown.push_str(&format!("‹{reference}›"));
                match escape {
                    Escape::Xml => bytes.push_str(&quick_xml::escape::escape(value.expose().as_str())),
                    Escape::Plain => bytes.push_str(value.expose()),
                }
                secrets.push(reference);
            }
            rest = after;
        }
        shown.push_str(rest);
        bytes.push_str(rest);
        Ok(Self { shown, bytes: Secret::new(Bytes::from(bytes)), secrets })
    }

    /// A content without secrets.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        let shown = text.into();
        Self { bytes: Secret::new(Bytes::from(shown.clone())), shown, secrets: Vec::new() }
    }

    /// For people: secrets are `‹env:NAME›`.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// For the host.
    #[must_use]
    pub fn bytes(&self) -> &Secret<Bytes> {
        &self.bytes
    }

    /// Which secrets it holds.
    #[must_use]
    pub fn secrets(&self) -> &[SecretRef] {
        &self.secrets
    }
}
