//! Which algorithms a connection may use, and how long it may be silent (pure).
//!
//! Nothing that the library calls insecure, and never SHA-1.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, Handle};
use russh::keys::{Algorithm, HashAlg};
use russh::{Preferred, cipher};

use super::connect::Client;
use crate::transport::known_hosts::Wanted;

/// The library's secure defaults, ChaCha20 first, and the host's known key types first.
pub(super) fn config(wanted: &Wanted) -> Arc<client::Config> {
    let usual = Preferred::DEFAULT;
    let known = |algorithm: &Algorithm| {
        let plain = match algorithm {
            Algorithm::Rsa { .. } => Algorithm::Rsa { hash: None },
            other => other.clone(),
        };
        wanted.keys.contains(&plain)
    };
    // SHA-1 signatures are no proof any more.
    let strong = |algorithm: &&Algorithm| **algorithm != Algorithm::Rsa { hash: None };
    let (mut keys, others): (Vec<_>, Vec<_>) = usual.key.iter().filter(strong).cloned().partition(known);
    let certificates = if wanted.certificate { [&keys[..], &others[..]].concat() } else { Vec::new() };
    keys.extend(others);
    let mut ciphers = vec![cipher::CHACHA20_POLY1305];
    ciphers.extend(usual.cipher.iter().filter(|name| **name != cipher::CHACHA20_POLY1305).copied());
    Arc::new(client::Config {
        preferred: Preferred {
            key: Cow::Owned(keys),
            host_key_certificates: Cow::Owned(certificates),
            cipher: Cow::Owned(ciphers),
            ..usual
        },
        // A way that is dead is found out before a statement has had its time (`SshOptions::statement_timeout`).
        keepalive_interval: Some(Duration::from_secs(10)),
        keepalive_max: 3,
        nodelay: true,
        ..client::Config::default()
    })
}

/// The hash for an RSA key's signature: the best that the server takes, never SHA-1.
pub(super) async fn rsa_hash(handle: &Handle<Client>, algorithm: &Algorithm) -> Result<Option<HashAlg>, russh::Error> {
    if !matches!(algorithm, Algorithm::Rsa { .. }) {
        return Ok(None);
    }
    Ok(handle.best_supported_rsa_hash().await?.flatten().or(Some(HashAlg::Sha512)))
}
