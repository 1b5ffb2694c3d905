//! Commands around a restart, read once for each place that names them (pure).
//!
//! Every user of a machine can read a command line, so no word of one is a secret.

use std::collections::BTreeSet;

use super::place;
use crate::fleet::{Fleet, TRAFFIC_HOOKS, TrafficHooks};
use crate::inventory::Inventory;
use crate::problem::Problem;
use crate::secret::SecretRef;

/// Tells what cannot be read, and what would show a secret.
pub(super) fn check(inventory: &Inventory, fleet: &Fleet, problems: &mut Vec<Problem>) {
    // A part that has the wrong shape is told at its place.
    let start = format!("`{TRAFFIC_HOOKS}`");
    if problems.iter().any(|problem| problem.code == "HW0303" && problem.message.starts_with(&start)) {
        return;
    }
    for host in fleet.hosts.values() {
        let Some(value) = host.vars.get(TRAFFIC_HOOKS).filter(|value| !value.is_null()) else { continue };
        let mut secrets = BTreeSet::new();
        SecretRef::collect(value, &mut secrets);
        let mut problem = match (secrets.first(), TrafficHooks::read(value)) {
            (Some(secret), _) => {
                let message = format!("`{TRAFFIC_HOOKS}` gives the secret `{secret}` to a command as one of its words");
                let hint = "every user of a machine can read a command line: let the command read the secret itself";
                Problem::new("HW0324", message).hint(hint)
            }
            (None, Err(why)) => {
                let message = format!("`{TRAFFIC_HOOKS}` of role `{}` cannot be followed: {why}", host.role);
                let hint = "docs/operating.md has an example";
                Problem::new("HW0325", message).hint(hint)
            }
            (None, Ok(_)) => continue,
        };
        if let Some(span) = place(inventory, &host.name, TRAFFIC_HOOKS) {
            problem = problem.at(span);
        }
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}
