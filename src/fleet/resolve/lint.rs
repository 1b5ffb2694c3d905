//! Checks that look at several hosts, or at a host and its role together (pure).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{place, replica_order, shard_of};
use crate::fleet::{Fleet, Host, HostName, Placement, Reach, RoleName};
use crate::inventory::Inventory;
use crate::problem::Problem;

/// Runs every check.
pub(super) fn check(inventory: &Inventory, fleet: &Fleet, problems: &mut Vec<Problem>) {
    placements_held_twice(inventory, fleet, problems);
    replica_gaps(inventory, fleet, problems);
    addresses_held_twice(inventory, fleet, problems);
    for host in fleet.hosts.values().filter(|host| host.placement == Placement::Stateless) {
        stored_on_stateless(inventory, host, problems);
    }
}

/// The numbers of different roles are apart from each other: they are different clusters.
fn placements_held_twice(inventory: &Inventory, fleet: &Fleet, problems: &mut Vec<Problem>) {
    let mut replicas: BTreeMap<(&RoleName, u32, &str), &HostName> = BTreeMap::new();
    let mut ids: BTreeMap<(&RoleName, u32), &HostName> = BTreeMap::new();
    for host in fleet.hosts.values() {
        let (code, variable, first, what) = match &host.placement {
            Placement::Storage { shard, replica } => {
                let first = replicas.insert((&host.role, *shard, replica), &host.name);
                ("HW0305", "replica", first, format!("replica `{replica}` of shard {shard}"))
            }
            Placement::Keeper { id } => {
                ("HW0307", "keeper_id", ids.insert((&host.role, *id), &host.name), format!("the keeper_id {id}"))
            }
            Placement::Stateless => continue,
        };
        let (Some(first), Some(span)) = (first, place(inventory, &host.name, variable)) else { continue };
        let message = format!("the hosts `{first}` and `{}` are both {what} of role `{}`", host.name, host.role);
        let message = message.replace("both the keeper_id", "both keeper_id");
        let mut problem = Problem::new(code, message).at(span);
        if let Some(other) = place(inventory, first, variable) {
            problem = problem.hint(format!("`{first}` says so at {other}"));
        }
        problems.push(problem);
    }
}

/// Replica and host, by shard.
type Shards<'a> = BTreeMap<u32, Vec<(&'a str, &'a HostName)>>;

/// A shard with fewer replicas than its neighbours, or numbers that are left out, may be meant so.
fn replica_gaps(inventory: &Inventory, fleet: &Fleet, problems: &mut Vec<Problem>) {
    let mut roles: BTreeMap<&RoleName, Shards<'_>> = BTreeMap::new();
    for host in fleet.hosts.values() {
        if let Some((shard, replica)) = shard_of(&host.placement) {
            roles.entry(&host.role).or_default().entry(shard).or_default().push((replica, &host.name));
        }
    }
    for (role, shards) in roles {
        let all: BTreeSet<&str> = shards.values().flatten().map(|(replica, _)| *replica).collect();
        // Replicas that are named after their hosts differ from shard to shard.
        let numbered = all.iter().all(|replica| replica.parse::<u32>().is_ok());
        for (shard, replicas) in shards.iter().filter(|_| numbered) {
            let held: BTreeSet<&str> = replicas.iter().map(|(replica, _)| *replica).collect();
            let mut missing: Vec<&str> = all.difference(&held).copied().collect();
            missing.sort_by_key(|replica| replica_order(replica));
            let span = replicas.first().and_then(|(_, host)| place(inventory, host, "shard"));
            if let (false, Some(span)) = (missing.is_empty(), span) {
                let message =
                    format!("shard {shard} of role `{role}` has no replica {}, other shards have", missing.join(", "));
                problems.push(Problem::note("HW0306", message).at(span));
            }
        }
        let last = shards.keys().next_back().copied().unwrap_or_default();
        let missing: Vec<String> =
            (1..=last).filter(|shard| !shards.contains_key(shard)).take(10).map(|shard| shard.to_string()).collect();
        let host = shards.values().next_back().and_then(|replicas| replicas.first());
        if let (false, Some(span)) = (missing.is_empty(), host.and_then(|(_, host)| place(inventory, host, "shard"))) {
            let message = format!("role `{role}` has a shard {last}, but no shard {}", missing.join(", "));
            problems.push(Problem::note("HW0306", message).at(span));
        }
    }
}

/// One machine under two names would be written to twice and restarted twice.
fn addresses_held_twice(inventory: &Inventory, fleet: &Fleet, problems: &mut Vec<Problem>) {
    let mut reached = BTreeMap::new();
    let mut named = BTreeMap::new();
    for host in fleet.hosts.values() {
        let over_ssh = match &host.reach {
            Reach::Ssh(connection) => {
                let key = (&connection.address, connection.port, &connection.proxy);
                reached.insert(key, &host.name).map(|first| (first, "ansible_host", &connection.address))
            }
            Reach::Member => None,
        };
        let port = host.vars.get("clickhouse_tcp_port").and_then(Value::as_u64);
        let by_name = named.insert((&host.fqdn, port), &host.name).map(|first| (first, "fqdn", &host.fqdn));
        let Some((first, variable, address)) = over_ssh.or(by_name) else { continue };
        let Some(span) = place(inventory, &host.name, variable) else { continue };
        let message = format!("the hosts `{first}` and `{}` have the same address `{address}`", host.name);
        let mut problem = Problem::new("HW0308", message).at(span);
        if let Some(other) = place(inventory, first, variable) {
            problem = problem.hint(format!("`{first}` says so at {other}"));
        }
        problems.push(problem);
    }
}

/// A host that anybody may kill must have nothing to lose.
fn stored_on_stateless(inventory: &Inventory, host: &Host, problems: &mut Vec<Problem>) {
    let filled = |name: &str| host.vars.get(name).and_then(Value::as_array).is_some_and(|items| !items.is_empty());
    let enabled = |name: &str| host.vars.get(name).is_some_and(|value| *value == Value::Bool(true));
    let wrong = [
        ("raid_volumes", filled("raid_volumes"), "must be empty", "raid_volumes: []"),
        ("backup_tables", filled("backup_tables"), "must be empty", "backup_tables: []"),
        (
            "clickhouse_disk_balancer_enabled",
            enabled("clickhouse_disk_balancer_enabled"),
            "must be false",
            "clickhouse_disk_balancer_enabled: false",
        ),
    ];
    for (name, _, rule, example) in wrong.into_iter().filter(|(_, found, ..)| *found) {
        let message = format!("`{name}` {rule} on hosts of the stateless role `{}`: they keep nothing", host.role);
        let problem = Problem::new("HW0309", message).hint(format!("write `{example}` for its group"));
        problems.push(match place(inventory, &host.name, name) {
            Some(span) => problem.at(span),
            None => problem,
        });
    }
}
