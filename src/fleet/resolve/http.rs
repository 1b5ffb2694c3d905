//! How a host's ClickHouse is asked over HTTP (pure): its shape is the vocabulary's to judge.

use std::path::PathBuf;

use super::{ConnectionDefaults, HostVars};
use crate::fleet::{HTTP_VARIABLE, HttpConnection, Tls};
use crate::inventory::{Node, NodeValue};
use crate::secret::SecretRef;

/// ClickHouse's own port of HTTPS.
const HTTPS_PORT: u16 = 8443;
/// And of HTTP.
const HTTP_PORT: u16 = 8123;

/// Reads `housewright_http`; `fqdn` is the name where it says none.
pub(super) fn resolve(vars: &HostVars<'_>, fqdn: &str, defaults: &ConnectionDefaults) -> HttpConnection {
    let written = vars.get(HTTP_VARIABLE);
    let get = |key: &str| written.and_then(|node| node.get(key)).filter(|node| !node.is_null());
    let text = |key: &str| get(key).and_then(Node::scalar_text);
    let address = text("host").unwrap_or_else(|| fqdn.to_owned());
    let ca = text("ca").map(|path| match (path.strip_prefix("~/"), &defaults.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    });
    // What is neither true nor false is told, and must not switch it off.
    let wanted = get("tls").and_then(Node::flag) != Some(false);
    let tls = wanted.then(|| Tls { ca, server_name: text("server_name").unwrap_or_else(|| address.clone()) });
    HttpConnection {
        port: get("port").and_then(Node::port).unwrap_or(if tls.is_some() { HTTPS_PORT } else { HTTP_PORT }),
        address,
        tls,
        user: text("user"),
        password: get("password").and_then(reference),
        connect_timeout: defaults.connect_timeout,
    }
}

fn reference(node: &Node) -> Option<SecretRef> {
    match &node.value {
        NodeValue::Secret(secret) => Some(secret.clone()),
        NodeValue::Text(text) => SecretRef::parse(text),
        _ => None,
    }
}
