//! The volumes of a host, read once for each place that declares them (pure).

use std::collections::BTreeSet;

use super::place;
use crate::fleet::Fleet;
use crate::ground::disks::{RAID_VOLUMES, read_volumes};
use crate::inventory::Inventory;
use crate::problem::Problem;
use crate::secret::SecretRef;

/// Tells what cannot be followed.
pub(super) fn check(inventory: &Inventory, fleet: &Fleet, problems: &mut Vec<Problem>) {
    // A part that has the wrong shape is told at its place.
    let start = format!("`{RAID_VOLUMES}`");
    if problems.iter().any(|problem| problem.code == "HW0303" && problem.message.starts_with(&start)) {
        return;
    }
    for host in fleet.hosts.values() {
        let Some(value) = host.vars.get(RAID_VOLUMES).filter(|value| !value.is_null()) else { continue };
        let mut secrets = BTreeSet::new();
        SecretRef::collect(value, &mut secrets);
        let mut problem = match (secrets.first(), read_volumes(value)) {
            (Some(secret), _) => {
                let message = format!("`{RAID_VOLUMES}` holds the secret `{secret}`, but Housewright itself reads it");
                Problem::new("HW0134", message).hint("write it as a plain value, in a file that is not vaulted")
            }
            (None, Err(why)) => {
                let message = format!("`{RAID_VOLUMES}` cannot be followed: {why}");
                Problem::new("HW0326", message).hint("docs/operating.md has examples")
            }
            (None, Ok(_)) => continue,
        };
        if let Some(span) = place(inventory, &host.name, RAID_VOLUMES) {
            problem = problem.at(span);
        }
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}
