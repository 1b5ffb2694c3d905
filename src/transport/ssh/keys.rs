//! Private keys from files, each read once per run (edge).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::{Certificate, PrivateKey, PublicKey};

use crate::transport::ConnectError;

/// One key to offer.
#[derive(Debug, Clone)]
pub(super) enum Identity {
    /// From a file, with the certificate that lies beside it (`-cert.pub`).
    File { key: Arc<PrivateKey>, certificate: Option<Arc<Certificate>> },
    /// The file has a passphrase, so that only the agent can use its key.
    Locked { path: PathBuf, public: Box<PublicKey> },
}

/// The files that were read.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<HashMap<PathBuf, Identity>>);

impl Keys {
    /// The key in a file.
    pub(super) fn load(&self, path: &Path) -> Result<Identity, ConnectError> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = cache.get(path) {
            return Ok(identity.clone());
        }
        let identity = read(path)?;
        cache.insert(path.to_owned(), identity.clone());
        Ok(identity)
    }
}

fn read(path: &Path) -> Result<Identity, ConnectError> {
    let failed = |reason: String| ConnectError::Key { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    // Only this format tells the public key without the passphrase.
    if let Ok(key) = PrivateKey::from_openssh(&text)
        && key.is_encrypted()
    {
        return Ok(Identity::Locked { path: path.to_owned(), public: Box::new(key.public_key().clone()) });
    }
    let key = russh::keys::decode_secret_key(&text, None).map_err(|error| match error {
        russh::keys::Error::KeyIsEncrypted => failed(PASSPHRASE.to_owned()),
        other => failed(other.to_string()),
    })?;
    let mut beside = path.as_os_str().to_owned();
    beside.push("-cert.pub");
    let certificate =
        std::fs::read_to_string(beside).ok().and_then(|text| Certificate::from_openssh(&text).ok()).map(Arc::new);
    Ok(Identity::File { key: Arc::new(key), certificate })
}

/// Said of a key that only a person or an agent can open.
pub(super) const PASSPHRASE: &str = "it has a passphrase; add it to the SSH agent";
