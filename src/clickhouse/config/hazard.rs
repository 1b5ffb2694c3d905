//! Valid files that harm a running server (pure).

use std::collections::BTreeMap;

use super::keys::ConfigKeys;

/// Clusters without a single host.
///
/// A server that reloads such a file forgets **all** clusters until a good file comes: `SHARD_HAS_NO_CONNECTIONS`, and
/// `system.clusters` is empty (measured on 25.8).
#[must_use]
pub fn empty_clusters(keys: &ConfigKeys) -> Vec<String> {
    let mut clusters: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in &keys.entries {
        let Some((cluster, rest)) =
            entry.path.strip_prefix("remote_servers/").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        else {
            continue;
        };
        if cluster.starts_with('@') {
            continue;
        }
        // Hosts can also come from elsewhere, and a removed cluster needs none.
        let has_hosts = rest.ends_with("/host")
            || rest.starts_with("discovery")
            || ["@remove", "@incl", "@from_zk", "@from_env"].iter().any(|attribute| rest.ends_with(attribute));
        *clusters.entry(cluster).or_default() |= has_hosts;
    }
    clusters.into_iter().filter(|(_, has_hosts)| !has_hosts).map(|(cluster, _)| cluster.to_owned()).collect()
}
