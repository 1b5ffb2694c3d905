//! Entries of `remote_servers` from `clickhouse_clusters` (pure): which hosts, in which shards, never an empty one.

use std::collections::{BTreeMap, BTreeSet};

use super::expressions::Evaluated;
use super::members::{Common, Placed, literal};
use super::{replica_order, shard_of};
use crate::fleet::{Cluster, ClusterName, ClusterShard, Host, HostName, Layout};
use crate::inventory::fields::{Codes, Fields};
use crate::inventory::{Entry, Inventory, Node, pattern};
use crate::problem::{Problem, Span};
use crate::vocabulary::CLUSTER;

pub(super) const CODES: Codes = Codes { wrong: "HW0317", unknown: "HW0316", missing: "HW0317" };

/// Reads `clickhouse_clusters` of the group `all`.
pub(super) fn resolve(
    inventory: &Inventory,
    evaluated: &Evaluated,
    hosts: &BTreeMap<HostName, Host>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<ClusterName, Cluster> {
    let written = match evaluated.of_all("clickhouse_clusters") {
        Some(Ok(entry)) => Some(&entry.value),
        Some(Err(failure)) => {
            problems.push(failure.problem("clickhouse_clusters", ""));
            None
        }
        None => inventory.var_of_all("clickhouse_clusters"),
    };
    let entries = written.and_then(Node::entries).unwrap_or_default();
    let facts = crate::fleet::facts(hosts);
    let selection = pattern::Selection { inventory, facts: &facts, read_file: &pattern::no_files };
    let mut clusters = BTreeMap::new();
    for entry in entries {
        match ClusterName::new(entry.key.as_str()) {
            Ok(name) => {
                if let Some(cluster) = cluster(&name, entry, &selection, hosts, problems) {
                    clusters.insert(name, cluster);
                }
            }
            Err(error) => problems.push(Problem::new("HW0321", error.to_string()).at(&entry.key_span)),
        }
    }
    clusters
}

fn cluster(
    name: &ClusterName,
    entry: &Entry,
    selection: &pattern::Selection<'_>,
    hosts: &BTreeMap<HostName, Host>,
    problems: &mut Vec<Problem>,
) -> Option<Cluster> {
    let mut fields = Fields::of(&entry.value, format!("cluster `{name}`"), &CLUSTER, CODES, problems)?;
    let layout = fields.get("layout").and_then(layout);
    let common = Common::read(&mut fields, selection);
    let secret = fields.secret("secret");
    // Several replicas in one shard hold Replicated tables, which copy by themselves: writing to each would double the work.
    // One replica has nothing to copy to; ClickHouse's own default holds there.
    let replicated = layout != Some(Layout::OneShardPerHost);
    let internal_replication = fields.flag("internal_replication").unwrap_or(replicated);
    let selected = selected(&mut fields, selection);
    let literal = literal(&mut fields, &common);
    let readable = selected.is_some() && literal.is_some();
    let (selected, literal) = (selected.unwrap_or_default(), literal.unwrap_or_default());
    if readable && selected.is_empty() && literal.is_empty() {
        // ClickHouse refuses the whole file for one empty cluster (SHARD_HAS_NO_CONNECTIONS) and keeps the old one,
        // or starts without any cluster.
        let problem = Problem::new("HW0318", format!("cluster `{name}` has no hosts")).at(&entry.key_span);
        fields.report(problem.hint("give it `hosts: <group>` or `members: [...]`"));
    }
    let chosen: Vec<&Host> = selected.iter().filter_map(|host| hosts.get(host)).collect();
    let shards = shards(name, layout?, &chosen, literal, &common, &mut fields);
    Some(Cluster { name: name.clone(), layout: layout?, shards, secret, internal_replication })
}

fn layout(node: &Node) -> Option<Layout> {
    match node.text()? {
        "sharded" => Some(Layout::Sharded),
        "single_shard" => Some(Layout::SingleShard),
        "one_shard_per_host" => Some(Layout::OneShardPerHost),
        _ => None,
    }
}

/// Hosts by pattern, or by a list of patterns; none where a pattern cannot be read.
fn selected(fields: &mut Fields<'_, '_>, selection: &pattern::Selection<'_>) -> Option<BTreeSet<HostName>> {
    let Some(node) = fields.get("hosts") else { return Some(BTreeSet::new()) };
    let patterns: Vec<&str> = match node.items() {
        Some(items) => items.iter().map(Node::text).collect::<Option<_>>()?,
        None => vec![node.text()?],
    };
    if patterns.iter().all(|pattern| pattern.trim().is_empty()) {
        return Some(BTreeSet::new());
    }
    let hosts = selection.in_order(&patterns).map_err(|problem| fields.report(problem.at(&node.span))).ok()?;
    Some(hosts.into_iter().collect())
}

fn shards(
    name: &ClusterName,
    layout: Layout,
    hosts: &[&Host],
    literal: Vec<Placed>,
    common: &Common,
    fields: &mut Fields<'_, '_>,
) -> Vec<ClusterShard> {
    let at: Option<Span> = fields.get("hosts").or_else(|| fields.get("members")).map(|node| node.span.clone());
    let at = at.unwrap_or_else(|| fields.span().clone());
    if layout == Layout::Sharded {
        return sharded(name, hosts, &literal, common, &at, fields);
    }
    let members = in_order(hosts).into_iter().map(|host| common.host(host)).chain(literal);
    if layout == Layout::OneShardPerHost {
        members.map(|member| shard(name, vec![member], fields)).collect()
    } else {
        let members: Vec<Placed> = members.collect();
        if members.is_empty() { Vec::new() } else { vec![shard(name, members, fields)] }
    }
}

fn sharded(
    name: &ClusterName,
    hosts: &[&Host],
    literal: &[Placed],
    common: &Common,
    at: &Span,
    fields: &mut Fields<'_, '_>,
) -> Vec<ClusterShard> {
    if !literal.is_empty() {
        let message = format!("cluster `{name}` is sharded, and its `members` have no shard");
        let hint = "write them into the inventory with `housewright_reach: member`";
        fields.report(Problem::new("HW0320", message).at(at).hint(hint));
    }
    // Waves and peers are counted by role: two roles in one shard would be taken away together.
    let mut storage = hosts.iter().filter(|host| shard_of(&host.placement).is_some());
    let first = storage.next();
    if let Some(other) = storage.find(|host| first.is_some_and(|first| first.role != host.role)) {
        let message = format!(
            "cluster `{name}` is sharded over several roles: host `{}` has the role `{}`",
            other.name, other.role
        );
        fields.report(Problem::new("HW0323", message).at(at).hint("give each role's hosts a cluster of their own"));
    }
    let mut shards: BTreeMap<u32, Vec<&Host>> = BTreeMap::new();
    let mut without: Vec<&Host> = Vec::new();
    for host in hosts {
        match shard_of(&host.placement) {
            Some((number, _)) => shards.entry(number).or_default().push(host),
            None => without.push(host),
        }
    }
    if let Some(host) = without.first() {
        let message = match without.len() {
            1 => format!(
                "cluster `{name}` is sharded, and host `{}` has no shard: its role is `{}`",
                host.name, host.role
            ),
            many => format!(
                "cluster `{name}` is sharded, and {many} of its hosts have no shard: `{}` with the role `{}` is one",
                host.name, host.role
            ),
        };
        fields.report(Problem::new("HW0320", message).at(at).hint("choose storage hosts, or another `layout`"));
    }
    let shards = shards.into_values().map(|hosts| in_order(&hosts).into_iter().map(|host| common.host(host)).collect());
    shards.map(|members| shard(name, members, fields)).collect()
}

/// A shard has one weight: the one that its members' patterns or mappings say.
fn shard(name: &ClusterName, members: Vec<Placed>, fields: &mut Fields<'_, '_>) -> ClusterShard {
    let mut weighted = members.iter().filter_map(|placed| Some((&placed.member.host, placed.weight?)));
    let first = weighted.next();
    if let Some((host, weight)) = first
        && let Some((other, another)) = weighted.find(|(_, another)| *another != weight)
    {
        let message = format!(
            "in cluster `{name}`, `{host}` and `{other}` are in one shard, and the weights {weight} and {another} are for both"
        );
        let place = fields.get("weight").or_else(|| fields.get("members")).map_or(fields.span(), |node| &node.span);
        let problem = Problem::new("HW0170", message).at(place);
        fields.report(problem.hint("a shard has one weight: choose all hosts of the shard in one pattern"));
    }
    let weight = first.map(|(_, weight)| weight);
    ClusterShard { members: members.into_iter().map(|placed| placed.member).collect(), weight }
}

/// By shard and replica where the hosts have them, then by name.
fn in_order<'a>(hosts: &[&'a Host]) -> Vec<&'a Host> {
    let mut hosts = hosts.to_vec();
    hosts.sort_by_key(|host| {
        (shard_of(&host.placement).map(|(shard, replica)| (shard, replica_order(replica))), host.name.as_str())
    });
    hosts
}
