//! Which secrets the fleet refers to, and how a reference in a variable becomes a marker (pure).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::fleet::{Fleet, Reach};
use crate::secret::{MARKER_END, MARKER_START, SecretRef};

/// Every secret that rendering the fleet and reaching its ClickHouse servers can need.
#[must_use]
pub fn secrets_of(fleet: &Fleet) -> BTreeSet<SecretRef> {
    let mut secrets: BTreeSet<SecretRef> =
        fleet.clusters.values().filter_map(|cluster| cluster.secret.clone()).collect();
    let passwords = fleet.roles.values().filter_map(|role| role.clickhouse.as_ref()?.password.clone());
    secrets.extend(passwords);
    for host in fleet.hosts.values().filter(|host| !matches!(host.reach, Reach::Member)) {
        for value in host.vars.values() {
            collect(value, &mut secrets);
        }
    }
    secrets
}

fn collect(value: &Value, secrets: &mut BTreeSet<SecretRef>) {
    match value {
        Value::String(text) => secrets.extend(in_markers(text)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, secrets)),
        Value::Object(map) => match reference(map) {
            Some(written) => secrets.extend(SecretRef::parse(written)),
            None => map.values().for_each(|item| collect(item, secrets)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn in_markers(text: &str) -> impl Iterator<Item = SecretRef> {
    text.split(MARKER_START).skip(1).filter_map(|part| SecretRef::parse(part.split_once(MARKER_END)?.0))
}

/// What stands behind `from_secret` where that is a mapping's only key.
fn reference(map: &Map<String, Value>) -> Option<&str> {
    match (map.len(), map.get("from_secret")) {
        (1, Some(Value::String(written))) => Some(written),
        _ => None,
    }
}

/// The value with every `{from_secret: ...}` in it turned into the secret's marker.
///
/// # Errors
/// Gives the first text that is no reference to a secret.
pub(super) fn with_markers(value: &Value) -> Result<Value, String> {
    Ok(match value {
        Value::Array(items) => Value::Array(items.iter().map(with_markers).collect::<Result<_, _>>()?),
        Value::Object(map) => {
            if let Some(written) = reference(map) {
                let reference = SecretRef::parse(written).ok_or_else(|| written.to_owned())?;
                return Ok(Value::String(reference.marker()));
            }
            let entry = |(key, item): (&String, &Value)| Ok((key.clone(), with_markers(item)?));
            Value::Object(map.iter().map(entry).collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}
