//! Checks the roles' objects against the fleet: placement, clusters, views, Keeper paths, queues (pure).
//!
//! Finds everything at once; reads no network and no clock; equal input gives equal problems in equal order.

mod columns;
mod consumers;
mod distributed;
mod keeper_path;
mod placement;
mod queues;
mod views;

use std::collections::BTreeMap;

use super::object::Object;
use super::order::cycles;
use super::{Schema, code, read};
use crate::fleet::{Fleet, Host, RoleName};
use crate::problem::Problem;
use crate::role::Role;

/// The variable from which the named collections of a host's configuration are rendered.
pub(super) const COLLECTIONS: &str = "clickhouse_named_collections";

/// Checks the whole schema.
#[must_use]
pub fn check(fleet: &Fleet, schema: &Schema) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for (name, objects) in &schema.roles {
        let Some(role) = fleet.roles.get(name).filter(|_| !objects.is_empty()) else { continue };
        let hosts = fleet.hosts.values().filter(|host| host.role == *name).collect();
        let place = Place { fleet, schema, name, role, objects, hosts };
        problems.extend(no_host(&place));
        problems.extend(cycles(objects));
        problems.extend(placement::check(&place));
        problems.extend(distributed::check(&place));
        problems.extend(views::check(&place));
        problems.extend(keeper_path::check(&place));
        problems.extend(queues::check(&place));
        problems.extend(consumers::check(&place));
        problems.extend(columns::check(&place));
    }
    once(problems)
}

/// The checks that look at a role alone, for a fleet that is not known in full.
#[must_use]
pub fn check_roles(roles: &BTreeMap<RoleName, Role>, schema: &Schema) -> Vec<Problem> {
    let (fleet, mut problems) = (Fleet::default(), Vec::new());
    for (name, objects) in &schema.roles {
        let Some(role) = roles.get(name) else { continue };
        let place = Place { fleet: &fleet, schema, name, role, objects, hosts: Vec::new() };
        problems.extend(cycles(objects));
        problems.extend(placement::check(&place));
        problems.extend(views::check(&place));
    }
    once(problems)
}

fn once(problems: Vec<Problem>) -> Vec<Problem> {
    let mut once: Vec<Problem> = Vec::new();
    for problem in problems {
        if !once.contains(&problem) {
            once.push(problem);
        }
    }
    once
}

/// One role with its hosts and objects, in the whole.
struct Place<'a> {
    fleet: &'a Fleet,
    schema: &'a Schema,
    name: &'a RoleName,
    role: &'a Role,
    objects: &'a [Object],
    hosts: Vec<&'a Host>,
}

/// The roles' directories are shared by all regions, so a role without a host here is doubtful and not invalid.
fn no_host(place: &Place<'_>) -> Option<Problem> {
    let first = place.objects.first().filter(|_| place.hosts.is_empty() && place.role.host_cluster_role.is_some())?;
    let message = format!(
        "role `{}` has {} objects and no host in this inventory: nothing of its schema is applied",
        place.name,
        place.objects.len()
    );
    Some(Problem::note(code::NO_HOST, message).at(&first.span))
}

/// Notes the roles with a schema that no host of the inventory has: nothing else looks at them.
#[must_use]
pub fn without_hosts(roles: &BTreeMap<RoleName, Role>, fleet: &Fleet) -> Vec<Problem> {
    let used = |name: &RoleName| fleet.roles.contains_key(name);
    let included = |name: &RoleName| fleet.roles.values().any(|role| role.include.contains(name));
    let left = roles.iter().filter(|(name, _)| !used(name) && !included(name));
    let note = |(name, role): (&RoleName, &Role)| {
        let (objects, _) = read(role);
        let schema = Schema::default();
        no_host(&Place { fleet, schema: &schema, name, role, objects: &objects, hosts: Vec::new() })
    };
    left.filter_map(note).collect()
}

/// Names some hosts and counts the rest.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<&str> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
