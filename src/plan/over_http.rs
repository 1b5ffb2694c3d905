//! Hosts whose ClickHouse alone is asked: whether it surely is what the inventory means, and what its operator is to bring (pure).
//!
//! No file, unit or restart is ever planned for one; its schema is touched only where the server itself says whose it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Hold, Inputs, Part};
use crate::fleet::{Fleet, Host, HostName, Reach};
use crate::resource::{Applied, ClickHouseFacts};

/// The macro by which a server says what it is.
const ROLE: &str = "hostClusterRole";

/// Whether a host is one of them.
pub(super) fn is_one(host: &Host) -> bool {
    matches!(host.reach, Reach::Http(_))
}

/// What the server of such a host must tell; its clusters too, where we write what its operator brings.
pub(super) fn expected(fleet: &Fleet, host: &Host) -> Applied {
    let role = fleet.role_of(host).and_then(|role| role.host_cluster_role.clone());
    let macros = role.map(|role| (ROLE.to_owned(), role)).into_iter().collect();
    let count = |shards: &[crate::fleet::ClusterShard]| shards.iter().map(|shard| shard.members.len() as u64).sum();
    let clusters = match host.vars.get(crate::k8s::VARIABLE) {
        Some(_) => fleet.clusters.iter().map(|(name, cluster)| (name.to_string(), count(&cluster.shards))).collect(),
        None => BTreeMap::new(),
    };
    Applied { macros, clusters, ..Applied::default() }
}

/// Holds back what would be done to a server that is not known to be its host's: behind a name may be another pod.
pub(super) fn strangers(inputs: &Inputs<'_>, holds: &mut Vec<Hold>) -> BTreeSet<HostName> {
    let mut hosts = BTreeSet::new();
    for (host, facts) in all(inputs) {
        let ClickHouseFacts::Up { server, .. } = &facts.clickhouse else { continue };
        let must = Applied { clusters: BTreeMap::new(), ..expected(inputs.fleet, host) };
        if let Some(missing) = must.missing_in(server) {
            let hint = "is it the host that answers there? Its operator gets the macro by `housewright k8s render`";
            holds.push(hold(host, "change its schema", missing, hint));
            hosts.insert(host.name.clone());
        }
    }
    hosts
}

/// Tells what these hosts lack that only their operator can bring.
pub(super) fn told(inputs: &Inputs<'_>) -> Vec<Hold> {
    if inputs.restart.is_some() {
        let reason = "it is asked over HTTP alone: its operator restarts it".to_owned();
        let held = |(host, _)| hold(host, "restart", reason.clone(), "`kubectl rollout restart` of its StatefulSet");
        return all(inputs).map(held).collect();
    }
    if !matches!(inputs.only, None | Some(Part::Config)) {
        return Vec::new();
    }
    let lacks = |(host, facts): (&Host, &crate::resource::HostFacts)| {
        let ClickHouseFacts::Up { server, .. } = &facts.clickhouse else { return None };
        let missing = Applied { macros: BTreeMap::new(), ..expected(inputs.fleet, host) }.missing_in(server)?;
        let hint = "its operator brings it: `housewright k8s render | kubectl apply -f -`";
        Some(hold(host, "configure its server", missing, hint))
    };
    all(inputs).filter_map(lacks).collect()
}

fn all<'a>(inputs: &Inputs<'a>) -> impl Iterator<Item = (&'a Host, &'a crate::resource::HostFacts)> {
    let (fleet, observation) = (inputs.fleet, inputs.observation);
    let hosts = inputs.hosts.iter().filter_map(|name| fleet.hosts.get(name)).filter(|host| is_one(host));
    hosts.filter_map(|host| Some((host, observation.facts(&host.name)?)))
}

fn hold(host: &Host, what: &str, reason: String, hint: &str) -> Hold {
    Hold { host: host.name.clone(), what: what.to_owned(), reason, hint: Some(hint.to_owned()) }
}
