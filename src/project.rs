//! The whole of what the operator wrote, checked together (pure): inventory, roles, templates and SQL in one list of problems.
//!
//! A part that is wrong hides no other part; what only follows from a problem that is told is not told.

use std::collections::BTreeMap;

use crate::backup;
use crate::fleet::load::{Read, Resolved};
use crate::fleet::{ConnectionDefaults, Fleet, RoleName};
use crate::inventory::Inventory;
use crate::k8s;
use crate::migration::{self, RoleMigrations};
use crate::problem::{Problem, Severity};
use crate::render::{self, Templates};
use crate::schema::{self, Object, Schema};
use crate::secret::{Secret, SecretStore};

/// What the operator wrote, without problems.
#[derive(Debug)]
pub struct Checked {
    /// The inventory.
    pub inventory: Inventory,
    /// What it means.
    pub fleet: Fleet,
    /// The objects of each role's hosts.
    pub objects: BTreeMap<RoleName, Vec<Object>>,
    /// The migrations of each role's hosts.
    pub migrations: RoleMigrations,
    /// The templates.
    pub templates: Templates,
    /// What is doubtful.
    pub notes: Vec<Problem>,
}

/// Checks everything that was read.
///
/// # Errors
/// Every problem and note of every part, where there is at least one problem.
pub fn check(
    read: Read,
    templates: Result<Templates, Vec<Problem>>,
    defaults: &ConnectionDefaults,
) -> Result<Checked, Vec<Problem>> {
    let Resolved { inventory, fleet, roles, mut problems, is_whole } = read.resolve_all(defaults);
    let templates = templates.map_err(|found| problems.extend(found)).ok();
    // The files of roles that no host has are read too: they are as wrong without hosts.
    let (mut schema, found) = Schema::read_roles(&roles);
    let readable = found.is_empty();
    problems.extend(found);
    let mut migrations = migration::read(&roles, &schema.roles);
    problems.append(&mut migrations.problems);
    let mut found = if is_whole {
        schema.roles.retain(|name, _| fleet.roles.contains_key(name));
        let without_hosts = schema::without_hosts(&roles, &fleet);
        schema::check(&fleet, &schema).into_iter().chain(without_hosts).collect()
    } else {
        schema::check_roles(&roles, &schema)
    };
    found.retain(|problem| readable || !schema::code::misses_an_object(problem.code));
    problems.extend(found);
    if is_whole {
        if readable {
            problems.extend(backup::check(&inventory, &fleet, &schema.roles));
        }
        problems.extend(templates.iter().flat_map(|templates| render::undeclared(&fleet, templates)));
        problems.extend(k8s::installations(&inventory, &fleet).1);
    }
    let stops = problems.iter().any(|problem| problem.severity == Severity::Problem);
    match templates {
        Some(templates) if !stops => {
            let migrations = migrations.roles;
            Ok(Checked { inventory, fleet, objects: schema.roles, migrations, templates, notes: problems })
        }
        Some(templates) if is_whole => {
            problems.extend(render::render(&fleet, &templates, &placeholders(&fleet)).err().unwrap_or_default());
            Err(problems)
        }
        _ => Err(problems),
    }
}

/// Stands in for the secrets where only the form of a file counts: no secret is read.
#[must_use]
pub fn placeholders(fleet: &Fleet) -> SecretStore {
    let mut store = SecretStore::default();
    for reference in render::secrets_of(fleet) {
        let text = format!("placeholder-of-{reference}");
        store.insert(reference, Secret::new(text));
    }
    store
}
