//! What the hosts of a role have rendered of named collections (pure).
//!
//! Only what the inventory says is compared, never a secret's value: two references are equal when they are one.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fleet::{Fleet, Host, HostName, RoleName};

/// The variable from which the named collections of a host's configuration are rendered.
const COLLECTIONS: &str = "clickhouse_named_collections";

/// The brokers of a collection on one host, each once.
pub type Brokers = BTreeSet<String>;

/// The hosts of some roles on which a collection is not rendered.
#[must_use]
pub fn without_collection<'a>(fleet: &'a Fleet, roles: &BTreeSet<&RoleName>, name: &str) -> Vec<&'a HostName> {
    hosts(fleet, roles).filter(|host| collection(host, name).is_none()).map(|host| &host.name).collect()
}

/// The first host on which two collections resolve to a broker that they share: both legs would write each row.
#[must_use]
pub fn shares_brokers<'a>(
    fleet: &'a Fleet,
    roles: &BTreeSet<&RoleName>,
    one: &str,
    other: &str,
) -> Option<(&'a HostName, String)> {
    hosts(fleet, roles).find_map(|host| {
        let (one, other) = (brokers(collection(host, one)?)?, brokers(collection(host, other)?)?);
        let shared = one.intersection(&other).next()?;
        Some((&host.name, shared.clone()))
    })
}

fn hosts<'a>(fleet: &'a Fleet, roles: &BTreeSet<&RoleName>) -> impl Iterator<Item = &'a Host> {
    fleet.hosts.values().filter(move |host| roles.contains(&host.role))
}

fn collection<'a>(host: &'a Host, name: &str) -> Option<&'a Value> {
    host.vars.get(COLLECTIONS)?.get(name)
}

fn brokers(collection: &Value) -> Option<Brokers> {
    let list = collection.get("kafka_broker_list")?.as_str()?;
    let each = list.split(',').map(|broker| broker.trim().to_ascii_lowercase());
    Some(each.filter(|broker| !broker.is_empty()).collect())
}
