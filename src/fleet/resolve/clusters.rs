//! Entries of `remote_servers` from `clickhouse_clusters` (pure): which hosts, in which shards, never an empty one.

use std::collections::{BTreeMap, BTreeSet};

use super::expressions::Evaluated;
use super::{replica_order, shard_of};
use crate::fleet::{Cluster, ClusterName, ClusterShard, Host, HostName, Layout, Member};
use crate::inventory::fields::{Codes, Fields};
use crate::inventory::{Entry, Inventory, Node, NodeValue, pattern, ranges};
use crate::problem::{Problem, Span, near_name};

const CODES: Codes = Codes { wrong: "HW0317", unknown: "HW0316", missing: "HW0317" };
const KEYS: [&str; 8] = ["hosts", "members", "layout", "port", "secure", "user", "secret", "internal_replication"];

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

/// What holds for every member.
struct Common {
    port: Option<u16>,
    secure: bool,
    user: Option<String>,
}

fn cluster(
    name: &ClusterName,
    entry: &Entry,
    selection: &pattern::Selection<'_>,
    hosts: &BTreeMap<HostName, Host>,
    problems: &mut Vec<Problem>,
) -> Option<Cluster> {
    let mut fields = Fields::open(&entry.value, format!("cluster `{name}`"), &KEYS, CODES, problems)?;
    let layout = layout(&mut fields);
    let common = Common {
        port: fields.port("port"),
        secure: fields.flag("secure").unwrap_or_default(),
        user: fields.text("user"),
    };
    let secret = fields.secret("secret");
    // Several replicas in one shard hold Replicated tables, which copy by themselves: writing to each would double the work.
    // One replica has nothing to copy to; ClickHouse's own default holds there.
    let replicated = layout != Some(Layout::OneShardPerHost);
    let internal_replication = fields.flag("internal_replication").unwrap_or(replicated);
    let (selected, spans) = selected(&mut fields, &selection);
    let literal = literal(&mut fields, &common);
    if fields.get("hosts").is_none() && fields.get("members").is_none()
        || (spans && selected.is_empty() && literal.is_empty())
    {
        // ClickHouse refuses the whole file for one empty cluster (SHARD_HAS_NO_CONNECTIONS) and keeps the old one,
        // or starts without any cluster.
        let problem = Problem::new("HW0318", format!("cluster `{name}` has no hosts")).at(&entry.key_span);
        fields.report(problem.hint("give it `hosts: <group>` or `members: [...]`"));
    }
    let chosen: Vec<&Host> = selected.iter().filter_map(|host| hosts.get(host)).collect();
    let shards = shards(name, layout?, &chosen, literal, &common, &mut fields);
    Some(Cluster { name: name.clone(), layout: layout?, shards, secret, internal_replication })
}

fn layout(fields: &mut Fields<'_, '_>) -> Option<Layout> {
    let node = fields.required("layout")?;
    let known = [
        ("sharded", Layout::Sharded),
        ("single_shard", Layout::SingleShard),
        ("one_shard_per_host", Layout::OneShardPerHost),
    ];
    let found = known.iter().find(|(name, _)| Some(*name) == node.text());
    if found.is_none() {
        let message = format!("`layout` must be sharded, single_shard or one_shard_per_host, not {}", node.describe());
        let mut problem = Problem::new("HW0317", message).at(&node.span);
        problem.hint = near_name(node.text().unwrap_or_default(), known.map(|(name, _)| name));
        fields.report(problem);
    }
    found.map(|(_, layout)| *layout)
}

/// Hosts by pattern, or by a list of patterns; the flag says that every pattern could be read.
fn selected(fields: &mut Fields<'_, '_>, selection: &pattern::Selection<'_>) -> (BTreeSet<HostName>, bool) {
    let Some(node) = fields.get("hosts") else { return (BTreeSet::new(), true) };
    let patterns: Vec<&str> = match &node.value {
        NodeValue::Text(text) => vec![text],
        NodeValue::List(items) if items.iter().all(|item| item.text().is_some()) => {
            items.iter().filter_map(Node::text).collect()
        }
        _ => {
            fields.wrong("hosts", node, &format!("must be a host pattern or a list of them, not {}", node.describe()));
            return (BTreeSet::new(), false);
        }
    };
    if patterns.iter().all(|pattern| pattern.trim().is_empty()) {
        return (BTreeSet::new(), true);
    }
    match selection.in_order(&patterns) {
        Ok(hosts) => (hosts.into_iter().collect(), true),
        Err(problem) => {
            fields.report(problem.at(&node.span));
            (BTreeSet::new(), false)
        }
    }
}

/// Members that are no hosts of the inventory: `pod-[0:3]` or `pod-[0:3]:9440`.
fn literal(fields: &mut Fields<'_, '_>, common: &Common) -> Vec<Member> {
    let mut members = Vec::new();
    for node in fields.items("members") {
        let Some(text) = node.text() else {
            fields.wrong("members", node, &format!("must be a list of names, not {}", node.describe()));
            continue;
        };
        let (pattern, port) = ranges::split_port(text);
        match ranges::expand(pattern) {
            Ok(names) => members.extend(names.into_iter().map(|host| member(host, port.or(common.port), common))),
            Err(why) => {
                fields.report(Problem::new("HW0111", format!("`{text}` is not a member: {why}")).at(&node.span));
            }
        }
    }
    members
}

fn member(host: String, port: Option<u16>, common: &Common) -> Member {
    let port = port.unwrap_or(if common.secure { 9440 } else { 9000 });
    Member { host, port, secure: common.secure, user: common.user.clone() }
}

fn member_host(host: &Host, common: &Common) -> Member {
    let own = host
        .vars
        .get("clickhouse_tcp_port")
        .and_then(serde_json::Value::as_u64)
        .and_then(|port| u16::try_from(port).ok());
    member(host.fqdn.clone(), common.port.or(own.filter(|_| !common.secure)), common)
}

fn shards(
    name: &ClusterName,
    layout: Layout,
    hosts: &[&Host],
    literal: Vec<Member>,
    common: &Common,
    fields: &mut Fields<'_, '_>,
) -> Vec<ClusterShard> {
    let at: Option<Span> = fields.get("hosts").or_else(|| fields.get("members")).map(|node| node.span.clone());
    let at = at.unwrap_or_else(|| fields.span().clone());
    if layout == Layout::Sharded {
        if !literal.is_empty() {
            let message = format!("cluster `{name}` is sharded, and its `members` have no shard");
            fields.report(
                Problem::new("HW0320", message)
                    .at(&at)
                    .hint("write them into the inventory with `housewright_reach: member`"),
            );
        }
        // Waves and peers are counted by role: two roles in one shard would be taken away together.
        let mut storage = hosts.iter().filter(|host| shard_of(&host.placement).is_some());
        let first = storage.next();
        if let Some(other) = storage.find(|host| first.is_some_and(|first| first.role != host.role)) {
            let message = format!(
                "cluster `{name}` is sharded over several roles: host `{}` has the role `{}`",
                other.name, other.role
            );
            fields
                .report(Problem::new("HW0323", message).at(&at).hint("give each role's hosts a cluster of their own"));
        }
        let mut shards: BTreeMap<u32, Vec<&Host>> = BTreeMap::new();
        for host in hosts {
            if let Some((shard, _)) = shard_of(&host.placement) {
                shards.entry(shard).or_default().push(host);
            } else {
                let message = format!(
                    "cluster `{name}` is sharded, and host `{}` has no shard: its role is `{}`",
                    host.name, host.role
                );
                fields
                    .report(Problem::new("HW0320", message).at(&at).hint("choose storage hosts, or another `layout`"));
            }
        }
        return shards.into_values().map(|hosts| shard(&hosts, common)).collect();
    }
    let members = in_order(hosts).into_iter().map(|host| member_host(host, common)).chain(literal);
    if layout == Layout::OneShardPerHost {
        members.map(|member| ClusterShard { members: vec![member] }).collect()
    } else {
        let members: Vec<Member> = members.collect();
        if members.is_empty() { Vec::new() } else { vec![ClusterShard { members }] }
    }
}

fn shard(hosts: &[&Host], common: &Common) -> ClusterShard {
    ClusterShard { members: in_order(hosts).into_iter().map(|host| member_host(host, common)).collect() }
}

/// By shard and replica where the hosts have them, then by name.
fn in_order<'a>(hosts: &[&'a Host]) -> Vec<&'a Host> {
    let mut hosts = hosts.to_vec();
    hosts.sort_by_key(|host| {
        (shard_of(&host.placement).map(|(shard, replica)| (shard, replica_order(replica))), host.name.as_str())
    });
    hosts
}
