//! Judges a host's key while the handshake waits (edge).
//!
//! Only a verdict of `Trusted`, or `Unknown` of a host that no line speaks of under `AcceptNew`, lets it go on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::{HashAlg, PublicKey, PublicKeyOrCertificate};

use crate::fleet::HostKeyPolicy;
use crate::transport::ConnectError;
use crate::transport::known_hosts::{KnownHosts, KnownHostsError, KnownHostsFile, Offered, Verdict, decide};

/// Knows what may be expected of one host.
pub(super) struct Judge {
    pub known_hosts: Arc<KnownHosts>,
    pub files: Vec<Arc<KnownHostsFile>>,
    /// Where a new host's key is written to.
    pub learn_to: Option<PathBuf>,
    pub address: String,
    pub port: u16,
    pub policy: HostKeyPolicy,
}

impl Judge {
    pub(super) fn judge(&self, shown: &PublicKeyOrCertificate) -> Result<(), ConnectError> {
        let (key, certificate) = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => (key.clone(), None),
            PublicKeyOrCertificate::Certificate(certificate) => {
                (PublicKey::from(certificate.public_key().clone()), Some(certificate))
            }
        };
        let bytes = key.to_bytes().map_err(|error| self.protocol(&error))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let offered = Offered { key: &bytes, key_type: &type_name(&bytes), certificate, now };
        let address = self.address.clone();
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let name = |path: &PathBuf| path.display().to_string();
        match decide(&self.files, &self.address, self.port, &offered) {
            Verdict::Trusted => Ok(()),
            Verdict::Changed(at) => {
                let (known_hosts, line) = (name(&at.file), at.line);
                Err(ConnectError::ChangedHostKey { address, fingerprint, known_hosts, line })
            }
            Verdict::Revoked(at) => {
                let (known_hosts, line) = (name(&at.file), at.line);
                Err(ConnectError::RevokedHostKey { address, fingerprint, known_hosts, line })
            }
            Verdict::BadCertificate(at, reason) => {
                let (known_hosts, line) = (name(&at.file), at.line);
                Err(ConnectError::HostCertificate { address, reason: reason.to_owned(), known_hosts, line })
            }
            Verdict::Unknown(None) if self.policy == HostKeyPolicy::AcceptNew && self.learn_to.is_some() => {
                self.learn(&key)
            }
            Verdict::Unknown(_) => {
                let known_hosts = self.learn_to.as_ref().map_or_else(|| "~/.ssh/known_hosts".to_owned(), name);
                Err(ConnectError::UnknownHostKey { address, port: self.port, fingerprint, known_hosts })
            }
        }
    }

    fn learn(&self, key: &PublicKey) -> Result<(), ConnectError> {
        let Some(file) = &self.learn_to else { return Ok(()) };
        let mut key = key.clone();
        key.set_comment("");
        let text = key.to_openssh().map_err(|error| self.protocol(&error))?;
        self.known_hosts.append(file, &self.address, self.port, text.trim()).map_err(unusable)
    }

    fn protocol(&self, error: &dyn std::error::Error) -> ConnectError {
        ConnectError::Protocol { address: self.address.clone(), reason: error.to_string() }
    }
}

pub(super) fn unusable(error: KnownHostsError) -> ConnectError {
    ConnectError::KnownHosts { reason: error.source.to_string(), path: error.path }
}

/// The key type's name, which stands at the beginning of the key.
fn type_name(key: &[u8]) -> String {
    let length = key.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes) as usize);
    String::from_utf8_lossy(key.get(4..4 + length).unwrap_or_default()).into_owned()
}
