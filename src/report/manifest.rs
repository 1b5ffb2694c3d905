//! What a manifest of pods needs, for people (pure).

use super::hosts::count;
use crate::k8s::Manifest;

/// How many pods it is about, and the keys that the Secret must have first.
#[must_use]
pub fn manifest(manifest: &Manifest) -> String {
    let Manifest { namespace, name, hosts, secret, keys, left_out, .. } = manifest;
    let mut first = format!("{namespace}/{name}: {}", count(hosts.len(), "pod"));
    if let Some(secret) = secret {
        first = format!("{first}; the Secret `{secret}` must have {}", count(keys.len(), "key"));
    }
    let keys = keys.iter().map(|key| format!("  {}", key.line()));
    let left_out = left_out.iter().map(|path| format!("  left out: {path}, which no pod reads"));
    [first].into_iter().chain(keys).chain(left_out).collect::<Vec<_>>().join("\n")
}
