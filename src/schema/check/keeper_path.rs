//! Keeper paths of replicated tables: one table each, and one replica per host (pure).

use std::collections::BTreeMap;

use super::Place;
use crate::clickhouse::Value;
use crate::fleet::{Host, Placement};
use crate::problem::Problem;
use crate::schema::code;
use crate::schema::object::{Object, ObjectName};

/// A replicated table's path and replica name, as the statement writes them.
pub(super) struct KeeperPath<'a> {
    pub(super) path: &'a str,
    replica: &'a str,
}

/// Reads them; nothing for other tables, and where the server's defaults are used.
pub(super) fn of(object: &Object) -> Option<KeeperPath<'_>> {
    let engine = object.engine.as_ref()?;
    if !(engine.name.starts_with("Replicated") && engine.name.ends_with("MergeTree")) {
        return None;
    }
    match (engine.positional(0)?, engine.positional(1)?) {
        (Value::Text(path), Value::Text(replica)) => Some(KeeperPath { path, replica }),
        _ => None,
    }
}

pub(super) fn check(place: &Place<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut paths: BTreeMap<String, &Object> = BTreeMap::new();
    for object in place.objects {
        let Some(keeper) = of(object) else { continue };
        problems.extend(one_replica_each(place, object, &keeper));
        // Without hosts in this inventory the macros have no values, and the text alone is compared.
        let first = place.hosts.first().copied();
        if let Some(other) = paths.insert(expand(keeper.path, object, first), object) {
            let message =
                format!("tables `{}` and `{}` share the Keeper path `{}`", other.name, object.name, keeper.path);
            problems.push(Problem::new(code::SAME_PATH, message).at(&object.span).hint("give each table its own path"));
        }
    }
    problems
}

/// Whether the inventory gives both hosts one shard and replica: that is told, once and not for each table (HW0305).
fn one_place(one: &Host, other: &Host) -> bool {
    matches!(one.placement, Placement::Storage { .. }) && one.role == other.role && one.placement == other.placement
}

fn one_replica_each(place: &Place<'_>, object: &Object, keeper: &KeeperPath<'_>) -> Option<Problem> {
    let mut seen: BTreeMap<(String, String), &Host> = BTreeMap::new();
    for host in &place.hosts {
        let replica = (expand(keeper.path, object, Some(host)), expand(keeper.replica, object, Some(host)));
        if let Some(other) = seen.insert(replica.clone(), host).filter(|other| !one_place(other, host)) {
            let message = format!(
                "table `{}`: hosts `{}` and `{}` would both be replica `{}` of `{}`",
                object.name, other.name, host.name, replica.1, replica.0
            );
            let hint =
                "the path and the replica name together must differ on every host: use `{shard}` and `{replica}`";
            return Some(Problem::new(code::SAME_REPLICA, message).at(&object.span).hint(hint));
        }
    }
    let shards = place.hosts.iter().filter_map(|host| match &host.placement {
        Placement::Storage { shard, .. } => Some(shard),
        _ => None,
    });
    let several = shards.collect::<std::collections::BTreeSet<_>>().len() > 1;
    // A replica name made of both macros says that a full copy on every host is meant.
    let says_so = keeper.replica.contains("{shard}");
    let names_shard = keeper.path.contains("{shard}") || keeper.path.contains("{uuid}");
    (several && !names_shard && !says_so).then(|| {
        let message = format!(
            "table `{}`: its Keeper path has no `{{shard}}`, so all {} hosts of role `{}` keep one full copy each",
            object.name,
            place.hosts.len(),
            place.name
        );
        Problem::note(code::PATH_WITHOUT_SHARD, message).at(&object.span)
    })
}

/// Puts in the macros whose values are known here.
fn expand(text: &str, object: &Object, host: Option<&Host>) -> String {
    let mut text = text.to_owned();
    if let ObjectName::Relation { database, name } = &object.name {
        text = text.replace("{database}", database).replace("{table}", name);
        text = text.replace("{uuid}", &format!("uuid of {database}.{name}"));
    }
    let Some(host) = host else { return text };
    text = text.replace("{hostname}", host.name.as_str());
    if let Placement::Storage { shard, replica } = &host.placement {
        text = text.replace("{shard}", &shard.to_string()).replace("{replica}", replica);
    }
    text
}
