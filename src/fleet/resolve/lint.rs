//! Checks that look at several hosts, or at a host and its role together (pure).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::missing::list;
use super::{place, replica_order, shard_of};
use crate::fleet::{Doubts, Fleet, HTTP_VARIABLE, Host, HostName, Placement, Reach, RoleName};
use crate::inventory::Inventory;
use crate::problem::{Problem, Span};

/// Runs every check; what may stand in a file that could not be read is not missed.
pub(super) fn check(inventory: &Inventory, fleet: &Fleet, doubts: &Doubts, problems: &mut Vec<Problem>) {
    let known = |host: &Host| {
        let written = inventory.hosts.get(&host.name);
        !written.is_some_and(|written| doubts.about(inventory, &host.name, written))
    };
    let hosts: Vec<&Host> = fleet.hosts.values().filter(|host| known(host)).collect();
    placements_held_twice(inventory, &hosts, problems);
    if hosts.len() == inventory.hosts.len() {
        replica_gaps(inventory, fleet, problems);
    }
    addresses_held_twice(inventory, &hosts, problems);
    stored_on_stateless(inventory, &hosts, problems);
}

/// The numbers of different roles are apart from each other: they are different clusters.
fn placements_held_twice(inventory: &Inventory, hosts: &[&Host], problems: &mut Vec<Problem>) {
    let mut replicas: BTreeMap<(&RoleName, u32, &str), Vec<&HostName>> = BTreeMap::new();
    let mut ids: BTreeMap<(&RoleName, u32), Vec<&HostName>> = BTreeMap::new();
    for host in hosts {
        match &host.placement {
            Placement::Storage { shard, replica } => {
                replicas.entry((&host.role, *shard, replica)).or_default().push(&host.name);
            }
            Placement::Keeper { id } => ids.entry((&host.role, *id)).or_default().push(&host.name),
            Placement::Stateless => {}
        }
    }
    for ((role, shard, replica), holders) in replicas.iter().filter(|(_, holders)| holders.len() > 1) {
        let what = format!("replica `{replica}` of shard {shard} of role `{role}`");
        // The one of the two that the hosts do not all have from the same place.
        let differs = |variable: &str| {
            let places = holders.iter().filter_map(|host| place(inventory, host, variable)).map(place_key);
            places.collect::<BTreeSet<_>>().len() == holders.len()
        };
        let variable = if !differs("replica") && differs("shard") { "shard" } else { "replica" };
        problems.extend(held_twice(inventory, "HW0305", variable, holders, &what));
    }
    for ((role, id), holders) in ids.iter().filter(|(_, holders)| holders.len() > 1) {
        let what = format!("keeper_id {id} of role `{role}`");
        problems.extend(held_twice(inventory, "HW0307", "keeper_id", holders, &what));
    }
}

fn place_key(span: &Span) -> (&str, usize) {
    (span.source.name.as_str(), span.range.start)
}

/// Several hosts are what only one can be; the place is that of the second.
fn held_twice(
    inventory: &Inventory,
    code: &'static str,
    variable: &str,
    holders: &[&HostName],
    what: &str,
) -> Option<Problem> {
    let [first, second, ..] = holders else { return None };
    let quantity = if holders.len() == 2 { "both" } else { "all" };
    let names = list(holders.iter().map(|name| name.as_str()));
    let message = format!("the hosts {names} are {quantity} {what}");
    let (here, there) = (place(inventory, second, variable)?, place(inventory, first, variable)?);
    let hint = if place_key(here) == place_key(there) {
        format!("`{variable}` is said once for all of them: say it beside each host")
    } else {
        format!("`{first}` says so at {there}")
    };
    Some(Problem::new(code, message).at(here).hint(hint))
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
fn addresses_held_twice(inventory: &Inventory, hosts: &[&Host], problems: &mut Vec<Problem>) {
    let mut reached: BTreeMap<_, Vec<&HostName>> = BTreeMap::new();
    let mut asked: BTreeMap<_, Vec<&HostName>> = BTreeMap::new();
    let mut named: BTreeMap<_, Vec<&HostName>> = BTreeMap::new();
    for host in hosts {
        if let Reach::Ssh(connection) = &host.reach {
            let key = (&connection.address, connection.port, &connection.proxy);
            reached.entry(key).or_default().push(&host.name);
        }
        if let Reach::Http(connection) = &host.reach {
            asked.entry((&connection.address, connection.port)).or_default().push(&host.name);
        }
        let port = host.vars.get("clickhouse_tcp_port").and_then(Value::as_u64);
        named.entry((&host.fqdn, port)).or_default().push(&host.name);
    }
    let by_address = reached.iter().map(|((address, ..), holders)| ("ansible_host", *address, holders));
    let by_url = asked.iter().map(|((address, _), holders)| (HTTP_VARIABLE, *address, holders));
    let by_name = named.iter().map(|((fqdn, _), holders)| ("fqdn", *fqdn, holders));
    let mut told: BTreeSet<&HostName> = BTreeSet::new();
    for (variable, address, holders) in by_address.chain(by_url).chain(by_name) {
        let [first, second, ..] = holders.as_slice() else { continue };
        if !told.insert(second) {
            continue;
        }
        let (Some(here), Some(there)) = (place(inventory, second, variable), place(inventory, first, variable)) else {
            continue;
        };
        let names = list(holders.iter().map(|name| name.as_str()));
        let message = format!("the hosts {names} have the same address `{address}`");
        let hint = if place_key(here) == place_key(there) {
            format!("`{variable}` is said once for all of them: say it beside each host")
        } else {
            format!("`{first}` says so at {there}")
        };
        problems.push(Problem::new("HW0308", message).at(here).hint(hint));
    }
}

/// Hosts that anybody may kill must have nothing to lose; each place that says otherwise is told once.
fn stored_on_stateless(inventory: &Inventory, hosts: &[&Host], problems: &mut Vec<Problem>) {
    let rules = [
        ("raid_volumes", "must be empty", "[]"),
        ("backup_tables", "must be empty", "[]"),
        ("clickhouse_disk_balancer_enabled", "must be false", "false"),
    ];
    for (name, rule, example) in rules {
        let stores = |host: &&&Host| match host.vars.get(name) {
            Some(Value::Array(items)) => !items.is_empty(),
            value => value == Some(&Value::Bool(true)),
        };
        let mut places: BTreeMap<(&str, usize), (&Span, BTreeSet<&str>)> = BTreeMap::new();
        for host in hosts.iter().filter(|host| host.placement == Placement::Stateless).filter(stores) {
            let Some(span) = place(inventory, &host.name, name) else { continue };
            places.entry(place_key(span)).or_insert((span, BTreeSet::new())).1.insert(host.role.as_str());
        }
        for (span, roles) in places.into_values() {
            let many = if roles.len() == 1 { "role" } else { "roles" };
            let message = format!(
                "`{name}` {rule} on hosts of the stateless {many} {}: they keep nothing",
                list(roles.into_iter())
            );
            let hint = format!("write `{name}: {example}` for their group, or move this to the hosts that store");
            problems.push(Problem::new("HW0309", message).at(span).hint(hint));
        }
    }
}
