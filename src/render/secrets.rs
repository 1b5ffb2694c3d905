//! Which secrets the fleet refers to (pure).
//!
//! Only a marker is a reference here: a mapping that merely looks like one, such as tags of an instance, is none.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fleet::{Fleet, Reach, Seen};
use crate::secret::{MARKER_END, MARKER_START, SecretRef};

/// Every secret that rendering the fleet and reaching its ClickHouse servers can need.
#[must_use]
pub fn secrets_of(fleet: &Fleet) -> BTreeSet<SecretRef> {
    let mut secrets: BTreeSet<SecretRef> =
        fleet.clusters.values().filter_map(|cluster| cluster.secret.clone()).collect();
    let passwords = fleet.roles.values().filter_map(|role| role.clickhouse.as_ref()?.password.clone());
    secrets.extend(passwords);
    let mut seen = Seen::default();
    for host in fleet.hosts.values().filter(|host| !matches!(host.reach, Reach::Member)) {
        for value in host.vars.fresh_values(&mut seen) {
            collect(value, &mut secrets);
        }
    }
    secrets
}

fn collect(value: &Value, secrets: &mut BTreeSet<SecretRef>) {
    match value {
        Value::String(text) => secrets.extend(in_markers(text)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, secrets)),
        Value::Object(map) => map.values().for_each(|item| collect(item, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn in_markers(text: &str) -> impl Iterator<Item = SecretRef> {
    text.split(MARKER_START).skip(1).filter_map(|part| SecretRef::from_marker(part.split_once(MARKER_END)?.0))
}
