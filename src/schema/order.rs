//! One order of creation over all roles (pure).
//!
//! Storage, then Distributed, then Kafka, then views; nothing is created before what it depends on, on its own host or
//! behind a Distributed table. Equal input gives equal order.

use std::collections::{BTreeMap, BTreeSet};

use super::code;
use super::engine::Remote;
use super::object::{Object, ObjectName};
use super::stage::Stage;
use crate::fleet::RoleName;
use crate::problem::Problem;

/// Objects that are created together: every role's in order, the roles beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaStage {
    /// What kind of stage it is; one kind can come several times.
    pub stage: Stage,
    /// Objects by the role of the hosts that get them, in order of creation.
    pub roles: BTreeMap<RoleName, Vec<Object>>,
}

/// When an object comes: its stage, and its turn in it where hosts must wait for other hosts.
type Rank = (Stage, usize);
/// An object of a role.
type Key<'a> = (&'a RoleName, &'a ObjectName);

/// Puts all roles' objects into one order.
#[must_use]
pub fn stages(schema: &BTreeMap<RoleName, Vec<Object>>) -> Vec<SchemaStage> {
    let ranks = ranks(schema);
    let mut stages: BTreeMap<Rank, BTreeMap<RoleName, Vec<Object>>> = BTreeMap::new();
    for (role, objects) in schema {
        for object in in_order(objects) {
            let rank = ranks.get(&(role, &object.name)).copied().unwrap_or((Stage::of(object), 0));
            stages.entry(rank).or_default().entry(role.clone()).or_default().push(object.clone());
        }
    }
    stages.into_iter().map(|((stage, _), roles)| SchemaStage { stage, roles }).collect()
}

/// Orders the objects of one host: what others depend on first, then by stage and name.
fn in_order(objects: &[Object]) -> Vec<&Object> {
    let mut left: BTreeMap<(Stage, &ObjectName), &Object> =
        objects.iter().map(|object| ((Stage::of(object), &object.name), object)).collect();
    let mut waiting: BTreeSet<&ObjectName> = objects.iter().map(|object| &object.name).collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let ready = left.iter().find(|(_, object)| object.depends_on.iter().all(|name| !waiting.contains(name)));
        // In a cycle nothing is ready; the checks refuse it, and the order still ends.
        let Some(next) = ready.or(left.iter().next()).map(|(key, _)| *key) else { break };
        ordered.extend(left.remove(&next));
        waiting.remove(next.1);
    }
    ordered
}

/// Raises every object's rank to those of what it depends on, until nothing moves.
fn ranks(schema: &BTreeMap<RoleName, Vec<Object>>) -> BTreeMap<Key<'_>, Rank> {
    let mut ranks: BTreeMap<Key<'_>, Rank> = BTreeMap::new();
    for (role, objects) in schema {
        ranks.extend(objects.iter().map(|object| ((role, &object.name), (Stage::of(object), 0))));
    }
    let count = ranks.len();
    // A chain is no longer than there are objects; a cycle is cut there.
    for _ in 0..=count {
        let mut moved = false;
        for (role, objects) in schema {
            for object in objects {
                let Some(old) = ranks.get(&(role, &object.name)).copied() else { continue };
                let new = rank(role, object, old, &ranks, schema).min((Stage::View, count));
                moved |= new != old;
                ranks.insert((role, &object.name), new);
            }
        }
        if !moved {
            break;
        }
    }
    ranks
}

fn rank(
    role: &RoleName,
    object: &Object,
    own: Rank,
    ranks: &BTreeMap<Key<'_>, Rank>,
    schema: &BTreeMap<RoleName, Vec<Object>>,
) -> Rank {
    let here = object.depends_on.iter().filter_map(|name| ranks.get(&(role, name)).copied());
    let remote = Remote::of(object);
    // The cluster's hosts may have any other role.
    let there = remote.iter().flat_map(|remote| {
        schema
            .keys()
            .filter(|other| *other != role)
            .filter_map(|other| ranks.get(&(other, &remote.table)).map(|(stage, turn)| (*stage, turn + 1)))
    });
    here.chain(there).fold(own, Rank::max)
}

/// Finds the objects of one role that wait for each other; one problem for each cycle.
#[must_use]
pub fn cycles(objects: &[Object]) -> Vec<Problem> {
    let by_name: BTreeMap<&ObjectName, &Object> = objects.iter().map(|object| (&object.name, object)).collect();
    let mut done: BTreeSet<&ObjectName> = BTreeSet::new();
    let mut problems = Vec::new();
    for start in by_name.keys() {
        // The way from the start to where the search is, each with the dependencies that are left to look at.
        let mut way: Vec<(&ObjectName, Vec<&ObjectName>)> = Vec::new();
        let next =
            |name: &ObjectName| by_name.get(name).map(|object| object.depends_on.iter().collect()).unwrap_or_default();
        if done.insert(start) {
            way.push((start, next(start)));
        }
        while let Some((_, left)) = way.last_mut() {
            let Some(name) = left.pop() else {
                way.pop();
                continue;
            };
            if let Some(at) = way.iter().position(|(on_way, _)| *on_way == name) {
                let names: Vec<String> = way.iter().skip(at).map(|(name, _)| format!("`{name}`")).collect();
                let message = format!("objects wait for each other: {} -> `{name}`", names.join(" -> "));
                let problem = Problem::new(code::CYCLE, message);
                problems.push(match by_name.get(name) {
                    Some(object) => problem.at(&object.span),
                    None => problem,
                });
            } else if done.insert(name) {
                way.push((name, next(name)));
            }
        }
    }
    problems
}
