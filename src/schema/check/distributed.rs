//! Distributed tables: their cluster, what its hosts have, and the sharding key (pure).

use std::collections::BTreeSet;

use super::{Place, keeper_path, list};
use crate::fleet::{Cluster, Host, Placement};
use crate::problem::{Problem, near_name};
use crate::role::PlacementKind;
use crate::schema::code;
use crate::schema::engine::Remote;
use crate::schema::object::{Object, ObjectName};

pub(super) fn check(place: &Place<'_>) -> Vec<Problem> {
    place
        .objects
        .iter()
        .filter_map(|object| Some((object, Remote::of(object)?)))
        .flat_map(|(object, remote)| check_one(place, object, &remote))
        .collect()
}

fn check_one(place: &Place<'_>, object: &Object, remote: &Remote) -> Vec<Problem> {
    // A macro is expanded by the server.
    if remote.cluster.contains('{') {
        return Vec::new();
    }
    let clusters = &place.fleet.clusters;
    let Some(cluster) = clusters.values().find(|cluster| cluster.name.as_str() == remote.cluster) else {
        let message =
            format!("table `{}` names cluster `{}`, which the fleet does not have", object.name, remote.cluster);
        let problem = Problem::new(code::NO_CLUSTER, message).at(&object.span);
        let near = near_name(&remote.cluster, clusters.keys().map(crate::fleet::ClusterName::as_str));
        return vec![match near {
            Some(near) => problem.hint(near),
            None => problem.hint("declare it under `clickhouse_clusters`"),
        }];
    };
    let members = members(place, cluster);
    let mut problems = Vec::new();
    problems.extend(no_remote_table(place, object, remote, &members));
    problems.extend(no_sharding_key(place, object, remote, cluster));
    problems.extend(spread_over_copies(place, object, remote, cluster, &members));
    problems.extend(parts_as_copies(place, object, remote, cluster, &members));
    problems
}

/// The cluster's hosts that the inventory knows.
pub(super) fn members<'a>(place: &Place<'a>, cluster: &Cluster) -> Vec<&'a Host> {
    let addresses: BTreeSet<&str> =
        cluster.shards.iter().flat_map(|shard| &shard.members).map(|member| member.host.as_str()).collect();
    let hosts = place.fleet.hosts.values();
    hosts.filter(|host| addresses.contains(host.fqdn.as_str()) || addresses.contains(host.name.as_str())).collect()
}

fn no_remote_table(place: &Place<'_>, object: &Object, remote: &Remote, members: &[&Host]) -> Option<Problem> {
    if remote.table.is_system() {
        return None;
    }
    let has = |host: &Host| place.schema.of(&host.role).iter().any(|object| object.name == remote.table);
    let without: Vec<&str> = members.iter().filter(|host| !has(host)).map(|host| host.name.as_str()).collect();
    if without.is_empty() {
        return None;
    }
    let message = format!(
        "table `{}` stands for `{}` on cluster `{}`, which {} of its {} hosts do not have: {}",
        object.name,
        remote.table,
        remote.cluster,
        without.len(),
        members.len(),
        list(without.iter().copied())
    );
    let roles: BTreeSet<_> = members.iter().filter(|host| !has(host)).map(|host| &host.role).collect();
    let known: Vec<String> =
        roles.iter().flat_map(|role| place.schema.of(role)).map(|object| object.name.to_string()).collect();
    let hint = near_name(&remote.table.to_string(), known.iter().map(String::as_str)).unwrap_or_else(|| {
        format!("add `{}` to the schema of {}", remote.table, list(roles.iter().map(|role| role.as_str())))
    });
    Some(Problem::new(code::NO_REMOTE_TABLE, message).at(&object.span).hint(hint))
}

/// An INSERT through a Distributed table over several shards fails without a key
/// (`STORAGE_REQUIRES_PARAMETER`); a SELECT does not, so it is invalid only where a view writes to it.
fn no_sharding_key(place: &Place<'_>, object: &Object, remote: &Remote, cluster: &Cluster) -> Option<Problem> {
    if remote.sharding_key.is_some() || cluster.shards.len() < 2 {
        return None;
    }
    let writer = place.objects.iter().find(|view| view.target.as_ref() == Some(&object.name));
    let shards = cluster.shards.len();
    let problem = match writer {
        Some(view) => Problem::new(
            code::NO_SHARDING_KEY,
            format!(
                "table `{}` has no sharding key, cluster `{}` has {shards} shards, and view `{}` writes to it: every insert fails",
                object.name, cluster.name, view.name
            ),
        ),
        // Readers on data hosts need no key.
        None if place.role.placement == PlacementKind::Storage => return None,
        None => Problem::note(
            code::NO_SHARDING_KEY,
            format!(
                "table `{}` has no sharding key and cluster `{}` has {shards} shards: it can be read, not written to",
                object.name, cluster.name
            ),
        ),
    };
    Some(problem.at(&object.span).hint("add a key such as `sipHash64(distinct_id)`, or use a cluster of one shard"))
}

/// A table whose Keeper path does not name the shard is a full copy on every host.
fn spread_over_copies(
    place: &Place<'_>,
    object: &Object,
    remote: &Remote,
    cluster: &Cluster,
    members: &[&Host],
) -> Option<Problem> {
    if cluster.shards.len() < 2 || remote.sharding_key.is_none() {
        return None;
    }
    let copy = members.iter().find_map(|host| stored_whole(place, host, &remote.table))?;
    let message = format!(
        "table `{}` spreads rows over {} shards of cluster `{}`, and `{copy}` is one full copy on all of them: reads through it count each row {} times",
        object.name,
        cluster.shards.len(),
        cluster.name,
        cluster.shards.len()
    );
    Some(
        Problem::note(code::SPREAD_OVER_COPIES, message)
            .at(&object.span)
            .hint("use a cluster of one shard, or put `{shard}` into the table's Keeper path"),
    )
}

/// A cluster of one shard takes its hosts for copies of each other; `{shard}` in the Keeper path makes them parts.
fn parts_as_copies(
    place: &Place<'_>,
    object: &Object,
    remote: &Remote,
    cluster: &Cluster,
    members: &[&Host],
) -> Option<Problem> {
    let shards: BTreeSet<u32> = members
        .iter()
        .filter(|host| holds_part(place, host, &remote.table))
        .filter_map(|host| match host.placement {
            Placement::Storage { shard, .. } => Some(shard),
            _ => None,
        })
        .collect();
    if cluster.shards.len() != 1 || shards.len() < 2 {
        return None;
    }
    let message = format!(
        "table `{}` takes the hosts of cluster `{}` for copies of one shard, and `{}` has another part on each of {} shards: `{{shard}}` is in its Keeper path",
        object.name,
        cluster.name,
        remote.table,
        shards.len()
    );
    let hint =
        "take `{shard}` out of the path of a table that every host has in full, or use a cluster with all shards";
    Some(Problem::note(code::PARTS_AS_COPIES, message).at(&object.span).hint(hint))
}

fn holds_part(place: &Place<'_>, host: &Host, table: &ObjectName) -> bool {
    let object = place.schema.of(&host.role).iter().find(|object| object.name == *table);
    object.and_then(keeper_path::of).is_some_and(|path| path.path.contains("{shard}"))
}

fn stored_whole(place: &Place<'_>, host: &Host, table: &ObjectName) -> Option<ObjectName> {
    let object = place.schema.of(&host.role).iter().find(|object| object.name == *table)?;
    let path = keeper_path::of(object)?;
    (!path.path.contains("{shard}") && !path.path.contains("{uuid}")).then(|| object.name.clone())
}
